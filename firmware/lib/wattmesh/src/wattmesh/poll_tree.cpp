#include "wattmesh/poll_tree.hpp"

#include <cstring>

namespace wattmesh {

PollTree::PollTree(const uint16_t* path, size_t hops) {
  for (; entries_ < hops; entries_++) put(entries_, PollEntry{static_cast<uint8_t>(entries_ + 1), false, path[entries_]});
}

void PollTree::add(uint16_t shortId, size_t parent) {
  if (entries_ == pollEntriesMax) return;
  const size_t place = parent + 1;
  memmove(bytes_ + (place + 1) * pollEntryBytes, bytes_ + place * pollEntryBytes, (entries_ - place) * pollEntryBytes);
  entries_++;
  put(place, PollEntry{static_cast<uint8_t>(at(parent).hops + 1), false, shortId});
}

void PollTree::ask(size_t index) {
  PollEntry entry = at(index);
  entry.asked = true;
  put(index, entry);
}

void PollTree::put(size_t index, const PollEntry& entry) {
  Writer writer(bytes_ + index * pollEntryBytes, pollEntryBytes);
  writePollEntry(writer, entry);
}

size_t PollTree::find(uint16_t shortId) const {
  size_t index = 0;
  while (index < entries_ && at(index).shortId != shortId) index++;
  return index;
}

uint8_t PollTree::depth() const {
  uint8_t deepest = 0;
  for (size_t i = 0; i < entries_; i++) deepest = at(i).hops > deepest ? at(i).hops : deepest;
  return deepest;
}

}  // namespace wattmesh
