// What can be set about the running engine as a whole: where it listens and where its files lie.
// The rooms' own options have their own tables; settings.h puts all of them together.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/settings.h"

namespace adbrook::app {

// Stands in the section `http` beside the server's own options.
struct AccessOptions {
  bool insecure_public = false;

  template <class O = AccessOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, bool>{"insecure.public",
                         &O::insecure_public,
                         {},
                         {},
                         "Allows an address other than loopback without TLS: everybody who reaches "
                         "the port can read and write."},
    };
  }
};

struct EngineOptions {
  std::string data = "./adbrook-data";
  std::int64_t partitions = 4;
  std::int64_t threads = 0;
  Millis stop_timeout{30'000};

  template <class O = EngineOptions>
  static constexpr auto settings() {
    return std::tuple{
        Setting<O, std::string>{
            "data", &O::data, {}, {}, "The data directory; nothing outside it is written."},
        Setting<O, std::int64_t>{
            "partitions", &O::partitions, 1, 64,
            "Partitions of every topic, and tasks; set when the data directory "
            "is new, each costs memory and files."},
        Setting<O, std::int64_t>{"threads", &O::threads, 0, 256,
                                 "Threads that do the work; 0 takes one per processor."},
        Setting<O, Millis>{
            "stop.timeout.ms", &O::stop_timeout, Millis(1000), Millis(600'000),
            "Longest time a clean stop may take; a longer one gives busy disks room."},
    };
  }
};

}  // namespace adbrook::app
