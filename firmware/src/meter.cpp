// A meter: measures, keeps its readings, and routes for others unless it runs on a battery.
#include <new>

#include "application.hpp"

namespace {

alignas(wattmesh::MeterDevice) uint8_t memory[sizeof(wattmesh::MeterDevice)];

wattmesh::Node& make(const wattmesh::Port& port, const wattmesh::Config& config) { return (new (memory) wattmesh::MeterDevice(port, config))->node; }

Application application(wattmesh::Role::meter, make);

}  // namespace

void setup() { application.setup(); }
void loop() { application.loop(); }
