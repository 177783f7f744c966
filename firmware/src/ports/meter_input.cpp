#include "ports/meter_input.hpp"

#include "ports/chip.hpp"

namespace ports {

namespace {

// Pulses are a transistor that pulls the line down, or an optical head that does (S0: EN 62053-31, class A).
constexpr int pulseActive = LOW;

inputs::PulseDebouncer debouncer;

void IRAM_ATTR onPulseEdge() { debouncer.edge(digitalRead(WATTMESH_PULSE_PIN) == pulseActive, static_cast<uint32_t>(micros())); }

}  // namespace

void MeterInput::begin(const board::Settings& settings, uint64_t nowUs) {
  kind_ = settings.input;
  if (kind_ == board::Input::pulse) {
    pulses_ = inputs::PulseMeter(settings.pulsesPerKwh);
    pinMode(WATTMESH_PULSE_PIN, INPUT_PULLUP);
    debouncer.begin(settings.pulseMs * 1000u, digitalRead(WATTMESH_PULSE_PIN) == pulseActive, static_cast<uint32_t>(nowUs));
    attachInterrupt(digitalPinToInterrupt(WATTMESH_PULSE_PIN), onPulseEdge, CHANGE);
  } else if (kind_ == board::Input::pzem) {
    pzem_ = inputs::PzemMeter(settings.pzemAddress);
    line_ = &openPzemLine();
  }
}

void MeterInput::resume(uint64_t importDwh) {
  pulses_.resume(importDwh);
  pzem_.resume(importDwh);
}

void MeterInput::tick(uint64_t nowUs) {
  if (kind_ == board::Input::pulse) {
    noInterrupts();
    debouncer.settle(static_cast<uint32_t>(micros()));
    const inputs::PulseCount count = debouncer.count();
    interrupts();
    pulses_.update(count, ports::nowUs());
  } else if (kind_ == board::Input::pzem) {
    askPzem(nowUs);
  }
}

void MeterInput::askPzem(uint64_t nowUs) {
  uint8_t request[inputs::pzemRequestBytes];
  if (pzem_.tick(nowUs, request)) line_->write(request, sizeof request);
  while (line_->available() > 0) pzem_.receive(static_cast<uint8_t>(line_->read()), nowUs);
}

bool MeterInput::read(uint64_t nowUs, wattmesh::Registers& out) const {
  if (kind_ == board::Input::pzem) return pzem_.read(nowUs, out);
  if (kind_ == board::Input::pulse) pulses_.read(nowUs, out);
  return kind_ == board::Input::pulse;
}

}  // namespace ports
