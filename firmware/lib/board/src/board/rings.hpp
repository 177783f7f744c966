// Queues between a radio's callback and the program's loop, and between the loop and a serial line.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

namespace board {

struct RadioFrame {
  uint8_t from[wattmesh::macBytes];
  bool isBroadcast;
  int8_t rssiDbm;
  uint8_t length;
  uint8_t bytes[wattmesh::frameBytesMax];
};

// Frames from one producer, which may interrupt or run on the other core, to one consumer.
template <uint8_t Capacity>
class FrameRing {
 public:
  // The place of the next frame, to be filled and then push()ed; nullptr: all are taken.
  RadioFrame* free() {
    const uint8_t head = head_.load(std::memory_order_relaxed);
    return after(head) == tail_.load(std::memory_order_acquire) ? nullptr : &frames_[head];
  }
  void push() { head_.store(after(head_.load(std::memory_order_relaxed)), std::memory_order_release); }

  // The oldest frame, until pop(); nullptr: none waits.
  const RadioFrame* front() const {
    const uint8_t tail = tail_.load(std::memory_order_relaxed);
    return tail == head_.load(std::memory_order_acquire) ? nullptr : &frames_[tail];
  }
  void pop() { tail_.store(after(tail_.load(std::memory_order_relaxed)), std::memory_order_release); }

 private:
  static constexpr uint8_t places = Capacity + 1;  // one is always empty
  static uint8_t after(uint8_t place) { return static_cast<uint8_t>(place + 1 == places ? 0 : place + 1); }

  RadioFrame frames_[places];
  std::atomic<uint8_t> head_{0};
  std::atomic<uint8_t> tail_{0};
};

// Bytes on their way to a serial line, whole packets or nothing.
template <size_t Capacity>
class ByteRing {
 public:
  // False: there is no room for all of it.
  bool push(const uint8_t* data, size_t length) {
    if (length > Capacity - count_) return false;
    for (size_t i = 0; i < length; i++) bytes_[(start_ + count_ + i) % Capacity] = data[i];
    count_ += length;
    return true;
  }
  // Up to `most` bytes that lie one after the other; `length` is 0 when none wait.
  const uint8_t* front(size_t most, size_t& length) const {
    const size_t straight = Capacity - start_ < count_ ? Capacity - start_ : count_;
    length = most < straight ? most : straight;
    return bytes_ + start_;
  }
  void pop(size_t length) {
    start_ = (start_ + length) % Capacity;
    count_ -= length;
  }

 private:
  uint8_t bytes_[Capacity] = {};
  size_t start_ = 0;
  size_t count_ = 0;
};

}  // namespace board
