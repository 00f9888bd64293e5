#include "stream/topology.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "stream/keyed/dead_letters.h"
#include "stream/query/store_show.h"

namespace adbrook::stream {

Topology::Topology(std::int32_t partition, std::int32_t partition_count, std::uint64_t hash_seed,
                   WatermarkOptions watermarks)
    : context_{.partition = partition,
               .partition_count = partition_count,
               .hash_seed = hash_seed,
               .counts = OutcomeCounts(partition_count)},
      watermarks_(watermarks),
      dead_letter_topic_(kDefaultDeadLetterTopic) {}

Topology::~Topology() = default;

void Topology::show_store(std::string name, std::unique_ptr<StoreShow> show) {
  shown_stores_.emplace_back(std::move(name), std::move(show));
}

void Topology::refuse(Error error) {
  if (!refused_) refused_ = std::move(error);
}

Result<void> Topology::check() const {
  if (refused_) return std::unexpected(*refused_);
  for (const Operator* part : parts_)
    if (auto stands = part->check(); !stands) return stands;
  return {};
}

void Topology::dead_letters_to(std::string topic) {
  if (dead_letters_)
    return refuse({ErrorKind::invalid, "dead letters go to " + dead_letters_->topic() +
                                           " already; name their topic " + topic +
                                           " before the first source"});
  dead_letter_topic_ = std::move(topic);
}

DeadLetters& Topology::dead_letters() {
  if (!dead_letters_) {
    dead_letters_ = std::make_unique<DeadLetters>(sink(dead_letter_topic_), context_.partition);
    context_.dead_letters = dead_letters_.get();
  }
  return *dead_letters_;
}

InputPlace Topology::next_place(std::string topic, std::string origin_topic, int level) {
  for (const auto& input : inputs_)
    if (input->topic() == topic)
      refuse({ErrorKind::invalid, "topic " + topic +
                                      " is read twice by one topology; make its stream once and "
                                      "use the handle in both places"});
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

// The watermark of a level is that of the inputs up to it: what is caused by them must be told
// before the next level's time can go on.
void Topology::pass_time() {
  int level_count = 1;
  for (const auto& input : inputs_) level_count = std::max(level_count, input->level() + 1);
  context_.level_watermarks.resize(static_cast<std::size_t>(level_count), Timestamp::lowest());
  for (int level = 0; level < level_count; ++level) {
    input_watermarks_.clear();
    for (const auto& input : inputs_)
      if (input->level() <= level) input_watermarks_.push_back(input->watermark());
    Timestamp& watermark = context_.level_watermarks[static_cast<std::size_t>(level)];
    watermark = task_watermark(input_watermarks_, watermark);
  }
  context_.watermark = context_.level_watermarks.back();
  for (Operator* part : parts_) part->on_watermark(context_.watermark_at(part->flow_level()));
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
  if (store.name.contains(':') || store.name == kTaskBlob)
    refuse(
        {ErrorKind::invalid,
         "'" + printable(store.name, 100) +
             "' is no name for a store or a processor: in a checkpoint ':' ends such a name, and "
             "'task' is the task itself; choose another"});
  for (const NamedStore& other : stores_)
    if (other.name == store.name)
      refuse({ErrorKind::invalid, "two stores are named " + store.name +
                                      ": each would load the other's state; give every stateful "
                                      "step a name of its own"});
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
  std::map<const Operator*, std::string> numbers;
  std::string text;
  for (const Operator* part : parts_) {
    const std::string number = std::to_string(numbers.size() + 1);
    numbers.emplace(part, number);
    text += number + " " + part->describe() + (part->feeds().empty() ? "" : " <");
    for (const auto& [from, outlet] : part->feeds())
      text += " " + numbers[from] + (outlet == 0 ? "" : "." + std::to_string(outlet));
    text += "\n";
  }
  for (const auto& sink : sinks_) text += "sink " + sink->topic() + "\n";
  return text;
}

std::uint64_t Topology::fingerprint() const { return xxh3(as_bytes(description())); }

std::uint64_t Topology::fingerprint_without_feeds() const {
  std::string text;
  for (const Operator* part : parts_) text += part->describe() + "\n";
  for (const auto& sink : sinks_) text += "sink " + sink->topic() + "\n";
  return xxh3(as_bytes(text));
}

}  // namespace adbrook::stream
