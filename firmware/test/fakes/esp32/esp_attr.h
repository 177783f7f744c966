#pragma once
// Of a process: what is written to a file while it "sleeps".
#define RTC_DATA_ATTR __attribute__((section("rtc_data")))
