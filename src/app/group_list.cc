#include "app/group_list.h"

#include <algorithm>
#include <set>

#include "protocol/wire_reader.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using serde::JsonWriter;

ListedGroup::Place place_of(const log::Log& log, bus::Bus& bus, const log::GroupOffset& position) {
  ListedGroup::Place place{.topic = position.topic,
                           .partition = position.partition,
                           .committed = position.committed.offset};
  place.end = place.committed;
  const auto id = log.partition(position.topic, position.partition);
  if (!id) return place;
  place.end = log.ends(*id).stable;
  if (place.end <= place.committed) return place;
  // One batch is read for the time of its first record; how much it holds does not matter.
  const auto first = bus.fetch({position.topic, position.partition}, place.committed, 1);
  if (first && !first->batches.empty()) place.waiting_since = first->batches.front().append_time;
  return place;
}

void add_members(ListedGroup& group, const broker::GroupCoordinator& coordinator) {
  const auto described = coordinator.describe(group.id);
  if (!described) return;
  if (!described->state.empty()) group.state = described->state;
  group.protocol = described->snapshot.protocol_name;
  group.generation = described->snapshot.generation;
  for (const auto& member : described->snapshot.members)
    group.members.push_back(
        {member.member_id, member.client_id, member.client_host,
         read_assignment(member.assignment).value_or(std::vector<bus::Partition>())});
}

void write_members(JsonWriter& json, const ListedGroup& group) {
  json.key("members");
  json.begin_array();
  for (const ListedGroup::Member& member : group.members) {
    json.begin_object();
    json.field("id", std::string_view(member.id));
    json.field("client", std::string_view(member.client));
    json.field("host", std::string_view(member.host));
    json.key("assigned");
    json.begin_array();
    for (const bus::Partition& partition : member.assigned)
      json.string(partition.topic + "-" + std::to_string(partition.number));
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_places(JsonWriter& json, const ListedGroup& group, Timestamp now) {
  json.key("partitions");
  json.begin_array();
  for (const ListedGroup::Place& place : group.places) {
    json.begin_object();
    json.field("topic", std::string_view(place.topic));
    json.field("partition", std::int64_t{place.partition});
    json.field("committed", place.committed.value);
    json.field("end", place.end.value);
    json.field("lag", std::max<std::int64_t>(0, place.end - place.committed));
    const Millis waits = place.waiting_since ? now - *place.waiting_since : Millis(0);
    json.field("lag_ms", std::max<std::int64_t>(0, waits.count()));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::optional<std::vector<bus::Partition>> read_assignment(ByteView bytes) {
  constexpr std::int32_t kCountMax = 100'000;
  protocol::WireReader reader(bytes);
  reader.integer<std::int16_t>();  // the version; topics stand in the same place in all of them
  std::vector<bus::Partition> assigned;
  const auto topics = reader.integer<std::int32_t>();
  for (std::int32_t i = 0; i < topics && !reader.failed(); ++i) {
    const auto size = reader.integer<std::int16_t>();
    if (size < 0) return std::nullopt;
    const std::string topic(as_text(reader.take(static_cast<std::size_t>(size))));
    const auto count = reader.integer<std::int32_t>();
    for (std::int32_t p = 0; p < count && !reader.failed(); ++p) {
      const auto number = reader.integer<std::int32_t>();
      if (assigned.size() == static_cast<std::size_t>(kCountMax)) return std::nullopt;
      if (!reader.failed()) assigned.push_back({topic, number});
    }
  }
  if (reader.failed()) return std::nullopt;
  std::ranges::sort(assigned);
  return assigned;
}

std::vector<ListedGroup> list_groups(const log::Log& log, bus::Bus& bus,
                                     const broker::GroupCoordinator& coordinator) {
  std::set<std::string> names;
  for (const auto& listed : coordinator.list()) names.insert(listed.id);
  for (const std::string& name : log.groups_with_offsets()) names.insert(name);
  std::vector<ListedGroup> groups;
  for (const std::string& name : names) {
    if (groups.size() == kListedGroupsMax) break;
    ListedGroup group{.id = name, .state = "Empty"};
    add_members(group, coordinator);
    for (const log::GroupOffset& position : log.group_offsets(name)) {
      if (group.places.size() == kListedPlacesMax) break;
      group.places.push_back(place_of(log, bus, position));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::string to_json(const std::vector<ListedGroup>& groups, Timestamp now) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("groups");
  json.begin_array();
  for (const ListedGroup& group : groups) {
    json.begin_object();
    json.field("group", std::string_view(group.id));
    json.field("state", std::string_view(group.state));
    json.field("protocol", std::string_view(group.protocol));
    json.field("generation", std::int64_t{group.generation});
    write_members(json, group);
    write_places(json, group, now);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace adbrook::app
