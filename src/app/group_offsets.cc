#include "app/group_offsets.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"

namespace adbrook::app {

std::optional<std::int64_t> GroupOffset::lag() const {
  if (!ends) return std::nullopt;
  const Offset next = std::max(committed.value_or(ends->start), ends->start);
  return std::max<std::int64_t>(ends->end - next, 0);
}

std::vector<GroupOffset> group_offsets(std::span<const bus::Commit::Position> committed,
                                       std::span<const bus::KafkaMember> members) {
  std::map<bus::Partition, GroupOffset> found;
  const auto at = [&](const bus::Partition& partition) -> GroupOffset& {
    auto& offset = found[partition];
    offset.partition = partition;
    return offset;
  };
  for (const auto& position : committed) at(position.partition).committed = position.offset;
  for (const auto& member : members)
    for (const auto& partition : member.assigned) at(partition).member = member.id;
  std::vector<GroupOffset> offsets;
  for (auto& [partition, offset] : found) offsets.push_back(std::move(offset));
  return offsets;
}

Result<TopicChoice> parse_topic_choice(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid, "--topic '" + printable(text) +
                                        "': it must be a topic, or like orders:0,2 for some of "
                                        "its partitions");
  };
  // A topic's name has no colon.
  const auto colon = text.find(':');
  TopicChoice choice{std::string(text.substr(0, colon)), {}};
  if (choice.topic.empty()) return wrong();
  if (colon == std::string_view::npos) return choice;
  for (std::size_t at = colon + 1; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::int32_t number = -1;
    const auto [end, ec] = std::from_chars(text.data() + at, text.data() + comma, number);
    if (ec != std::errc{} || end != text.data() + comma || number < 0) return wrong();
    choice.partitions.push_back(number);
    at = comma + 1;
  }
  return choice;
}

Result<std::vector<OffsetMove>> plan_reset(const OffsetSpec& spec,
                                           std::span<const GroupOffset> offsets,
                                           std::span<const std::optional<Offset>> at_time) {
  std::vector<OffsetMove> moves;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const auto& [partition, committed, ends, member] = offsets[i];
    if (!ends)
      return fail(ErrorKind::io_failed, "reset " + printable(partition.topic) + "-" +
                                            std::to_string(partition.number) +
                                            ": its ends are unknown, because no broker leads it; "
                                            "nothing is changed; try again when it has a leader");
    const auto known = i < at_time.size() ? at_time[i] : std::nullopt;
    moves.push_back({partition, committed, resolve(spec, *ends, known)});
  }
  return moves;
}

}  // namespace adbrook::app
