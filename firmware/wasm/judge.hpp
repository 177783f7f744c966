// Judges one piece of protocol by the firmware's own codecs, so that the test vectors and fuzzers reach them.
#pragma once
#include "io.hpp"

enum class JudgeKind : int {
  frame = 1,            // radio frame: header and body; the MAC is kept as it is
  gatewayEnvelope = 2,  // from a gateway to the host
  hostEnvelope = 3,
  packet = 4,  // end-to-end packet: header; what follows is kept as it is
  upSections = 5,
  downSections = 6,
  m1Payload = 7,
  m2Payload = 8,
  slip = 9,  // one packet on the serial line
};

// Judges `length` bytes in the io buffer. 0: they are valid, and the buffer holds what the decoded fields encode to, of
// wm_judge_length() bytes; otherwise the error number. -1: no such kind.
WM_EXPORT(wm_judge) int wm_judge(int kind, int length);
WM_EXPORT(wm_judge_length) int wm_judge_length();
