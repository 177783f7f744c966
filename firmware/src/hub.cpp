// A hub: polls the meters around it and takes custody of what they have measured.
#include <new>

#include "application.hpp"

namespace {

alignas(wattmesh::HubDevice) uint8_t memory[sizeof(wattmesh::HubDevice)];

wattmesh::Node& make(const wattmesh::Port& port, const wattmesh::Config& config) { return (new (memory) wattmesh::HubDevice(port, config))->node; }

Application application(wattmesh::Role::hub, make);

}  // namespace

void setup() { application.setup(); }
void loop() { application.loop(); }
