#include "wattmesh/row.hpp"

namespace wattmesh {

namespace {

struct Range {
  int64_t least;
  int64_t most;
};

constexpr Range ranges[registersMax] = {
    {0, (int64_t{1} << 48) - 1}, {0, (int64_t{1} << 48) - 1}, {INT32_MIN, INT32_MAX}, {0, UINT16_MAX},
    {0, UINT16_MAX},             {0, UINT16_MAX},             {INT8_MIN, INT8_MAX},
};

}  // namespace

int64_t registerValue(const Registers& registers, unsigned bit) {
  switch (bit) {
    case 0:
      return static_cast<int64_t>(registers.importDwh);
    case 1:
      return static_cast<int64_t>(registers.exportDwh);
    case 2:
      return registers.powerDw;
    case 3:
      return registers.voltageDv;
    case 4:
      return registers.currentCa;
    case 5:
      return registers.frequencyChz;
    default:
      return registers.powerFactorPct;
  }
}

bool setRegister(Registers& registers, unsigned bit, int64_t value) {
  if (bit >= registersMax || value < ranges[bit].least || value > ranges[bit].most) return false;
  switch (bit) {
    case 0:
      registers.importDwh = static_cast<uint64_t>(value);
      break;
    case 1:
      registers.exportDwh = static_cast<uint64_t>(value);
      break;
    case 2:
      registers.powerDw = static_cast<int32_t>(value);
      break;
    case 3:
      registers.voltageDv = static_cast<uint16_t>(value);
      break;
    case 4:
      registers.currentCa = static_cast<uint16_t>(value);
      break;
    case 5:
      registers.frequencyChz = static_cast<uint16_t>(value);
      break;
    default:
      registers.powerFactorPct = static_cast<int8_t>(value);
  }
  return true;
}

bool isValidRow(const Row& row) {
  if (row.interval == 0 || row.quality > qualityEstimated || (row.registers.mask & ~registerMaskAll) != 0) return false;
  Registers checked{};
  for (unsigned bit = 0; bit < registersMax; bit++) {
    const bool isPresent = (row.registers.mask >> bit & 1) != 0;
    if (isPresent && !setRegister(checked, bit, registerValue(row.registers, bit))) return false;
  }
  return true;
}

void writeRow(Writer& writer, const Row& row) {
  Registers present{};
  for (unsigned bit = 0; bit < registersMax; bit++) {
    if ((row.registers.mask >> bit & 1) != 0) (void)setRegister(present, bit, registerValue(row.registers, bit));
  }
  writer.u32(row.seq);
  writer.u32(row.t);
  writer.u16(row.interval);
  writer.u8(row.quality);
  writer.u16(row.registers.mask);
  writer.u48(present.importDwh);
  writer.u48(present.exportDwh);
  writer.u32(static_cast<uint32_t>(present.powerDw));
  writer.u16(present.voltageDv);
  writer.u16(present.currentCa);
  writer.u16(present.frequencyChz);
  writer.i8(present.powerFactorPct);
}

void readRow(Reader& reader, Row& row) {
  row.seq = reader.u32();
  row.t = reader.u32();
  row.interval = reader.u16();
  row.quality = reader.u8();
  row.registers.mask = reader.u16();
  row.registers.importDwh = reader.u48();
  row.registers.exportDwh = reader.u48();
  row.registers.powerDw = static_cast<int32_t>(reader.u32());
  row.registers.voltageDv = reader.u16();
  row.registers.currentCa = reader.u16();
  row.registers.frequencyChz = reader.u16();
  row.registers.powerFactorPct = reader.i8();
}

}  // namespace wattmesh
