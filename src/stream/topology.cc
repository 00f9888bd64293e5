#include "stream/topology.h"

#include <algorithm>

#include "base/hash.h"

namespace adbrook::stream {

Topology::Topology(std::int32_t partition, std::int32_t partition_count, std::uint64_t hash_seed,
                   WatermarkOptions watermarks)
    : context_{.partition = partition,
               .partition_count = partition_count,
               .hash_seed = hash_seed,
               .counts = OutcomeCounts(partition_count)},
      watermarks_(watermarks) {}

InputPlace Topology::next_place(std::string topic, std::string origin_topic, int level) {
  for (const auto& input : inputs_)
    ADBROOK_ASSERT(input->topic() != topic, "a topology reads each topic once");
  return {std::move(topic), std::move(origin_topic), context_.counts.add_input(), level};
}

Input& Topology::add_input(std::unique_ptr<Input> input) {
  inputs_.push_back(std::move(input));
  parts_.push_back(inputs_.back().get());
  const bool has_streams =
      std::ranges::any_of(inputs_, [](const auto& made) { return !made->table(); });
  for (const auto& made : inputs_) made->set_timeless(made->table() && has_streams);
  return *inputs_.back();
}

// Sinks are few, and looked up only while the topology is built.
Sink& Topology::sink(std::string_view topic) {
  for (const auto& sink : sinks_)
    if (sink->topic() == topic) return *sink;
  sinks_.push_back(
      std::make_unique<Sink>(std::string(topic), context_.partition, context_.partition_count));
  return *sinks_.back();
}

void Topology::add_store(NamedStore store) {
  for (const NamedStore& other : stores_)
    ADBROOK_ASSERT(other.name != store.name, "every store has a name of its own");
  stores_.push_back(std::move(store));
}

const void* Topology::find_store(std::string_view name, std::type_index type) const {
  for (const NamedStore& store : stores_)
    if (store.name == name && store.type == type) return store.store;
  return nullptr;
}

std::vector<std::string> Topology::internal_topics() const {
  std::vector<std::string> topics;
  for (const auto& input : inputs_)
    if (input->internal()) topics.push_back(input->topic());
  return topics;
}

// What a topology writes and reads itself is its own matter.
std::vector<std::string> Topology::output_topics() const {
  const auto internal = internal_topics();
  std::vector<std::string> topics;
  for (const auto& sink : sinks_)
    if (std::ranges::find(internal, sink->topic()) == internal.end())
      topics.push_back(sink->topic());
  return topics;
}

// Every option that changes an answer stands in some part's line.
std::string Topology::description() const {
  std::string text;
  for (const Operator* part : parts_) text += part->describe() + "\n";
  for (const auto& sink : sinks_) text += "sink " + sink->topic() + "\n";
  return text;
}

std::uint64_t Topology::fingerprint() const { return xxh3(as_bytes(description())); }

}  // namespace adbrook::stream
