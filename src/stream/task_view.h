// What a question put to a task sees: its state right after a commit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/topology.h"

namespace adbrook::stream {

struct InputView {
  std::string topic;
  std::string origin_topic;  // first received there; equals topic for topics from outside
  Offset position;           // everything below is processed
  std::int64_t passed_over;  // of these offsets, those that hold no record for readers
  std::optional<Timestamp> watermark;
};

// Valid during the call it is given to; nothing of it may be kept.
class TaskView {
 public:
  TaskView(const Topology& topology, std::vector<InputView> inputs, std::uint64_t commit_number,
           Timestamp committed_at)
      : topology_(topology),
        inputs_(std::move(inputs)),
        commit_number_(commit_number),
        committed_at_(committed_at) {}

  std::int32_t partition() const { return topology_.partition(); }
  Timestamp watermark() const { return topology_.context().watermark; }
  // By the index that Arrival::input speaks of.
  const std::vector<InputView>& inputs() const { return inputs_; }
  const OutcomeCounts& counts() const { return topology_.context().counts; }
  std::uint64_t commit_number() const { return commit_number_; }
  // Wall time of the last commit that changed something; lowest() before the first one.
  Timestamp committed_at() const { return committed_at_; }

  // The store of this name and type, or nullptr: view.store<state::Dictionary>("texts"). A dedupe's
  // name gives its state::SeenStore.
  template <class Store>
  const Store* store(std::string_view name) const {
    return topology_.find_store<Store>(name);
  }

  // The stores that readers may see without knowing their types, in the order of their making.
  const Topology::ShownStores& shown_stores() const { return topology_.shown_stores(); }
  const StoreShow* shown_store(std::string_view name) const {
    for (const auto& [known, show] : shown_stores())
      if (known == name) return show.get();
    return nullptr;
  }

 private:
  const Topology& topology_;
  std::vector<InputView> inputs_;
  std::uint64_t commit_number_;
  Timestamp committed_at_;
};

}  // namespace adbrook::stream
