// The engine's outputs with less than exactly once: a bus that keeps no positions and, where it is
// asked to, no changelog, for the difference in cost.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "bus/bus.h"

namespace adbrook::bench {

// As thread-safe as the bus under it. What goes into topic `dropped` is not kept.
class WeakerBus final : public bus::Bus {
 public:
  WeakerBus(bus::Bus& under, std::optional<std::string> dropped)
      : under_(under), dropped_(std::move(dropped)) {}

  Result<std::int32_t> partition_count(std::string_view topic) override {
    return under_.partition_count(topic);
  }
  Result<bus::Fetched> fetch(const bus::Partition& p, Offset from, std::size_t size_max) override {
    return under_.fetch(p, from, size_max);
  }
  Result<bus::Ends> ends(const bus::Partition& p) override { return under_.ends(p); }
  Result<Offset> committed(std::string_view group, const bus::Partition& p) override {
    return under_.committed(group, p);
  }
  void commit(bus::Commit what, bus::CommitDone done) override {
    std::erase_if(what.outputs,
                  [&](const auto& output) { return output.partition.topic == dropped_; });
    what.positions.clear();
    under_.commit(std::move(what), std::move(done));
  }
  void when_readable(const bus::Partition& p, Offset offset, io::Step step) override {
    under_.when_readable(p, offset, std::move(step));
  }
  void hold(std::string_view holder, const bus::Partition& p, Offset offset) override {
    under_.hold(holder, p, offset);
  }

 private:
  bus::Bus& under_;
  std::optional<std::string> dropped_;
};

}  // namespace adbrook::bench
