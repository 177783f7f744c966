// A gateway: the root of the mesh, on the serial line of its host.
#include <new>

#include "application.hpp"

namespace {

// As many as the chip has memory for (platformio.ini).
using Device = wattmesh::GatewayDeviceOf<WATTMESH_GATEWAY_MEMBERS, WATTMESH_GATEWAY_ROUTES, WATTMESH_GATEWAY_NEIGHBOURS>;

alignas(Device) uint8_t memory[sizeof(Device)];

wattmesh::Node& make(const wattmesh::Port& port, const wattmesh::Config& config) { return (new (memory) Device(port, config))->node; }

Application application(wattmesh::Role::gateway, make);

}  // namespace

void setup() { application.setup(); }
void loop() { application.loop(); }
