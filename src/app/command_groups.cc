// `groups`: consumer groups over the Kafka protocol.
#include <algorithm>

#include "app/commands.h"
#include "app/group_offsets.h"
#include "app/kafka_flags.h"
#include "app/table.h"
#include "base/text.h"
#include "io/clock.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

std::string text_of(std::optional<Offset> offset) {
  return offset ? std::to_string(offset->value) : "";
}

TableFormat format_of(const Arguments& arguments) {
  return arguments.json ? TableFormat::json : TableFormat::table;
}

// Fills in the ends; a partition that is gone keeps none.
Result<void> find_ends(bus::KafkaAdmin& admin, std::vector<GroupOffset>& offsets) {
  const auto cluster = admin.cluster();
  if (!cluster) return pass(cluster.error());
  std::vector<bus::Partition> there;
  for (const auto& offset : offsets)
    for (const auto& topic : cluster->topics)
      if (topic.name == offset.partition.topic &&
          offset.partition.number < static_cast<std::int32_t>(topic.partitions.size()))
        there.push_back(offset.partition);
  const auto ends = admin.ends(there);
  if (!ends) return pass(ends.error());
  for (auto& offset : offsets)
    for (const auto& found : *ends)
      if (found.partition == offset.partition) offset.ends = found.ends;
  return {};
}

struct GroupView {
  bus::KafkaGroup group;
  std::vector<GroupOffset> offsets;
};

Result<GroupView> view_of(bus::KafkaAdmin& admin, const std::string& id) {
  auto group = admin.group(id);
  if (!group) return pass(std::move(group.error()));
  const auto committed = admin.committed(id);
  if (!committed) return pass(committed.error());
  GroupView view{std::move(*group), {}};
  view.offsets = group_offsets(*committed, view.group.members);
  if (auto found = find_ends(admin, view.offsets); !found) return pass(std::move(found.error()));
  return view;
}

// "orders:0,1 clicks:2"
std::string assignment_text(const std::vector<bus::Partition>& assigned) {
  std::string out, topic;
  for (const auto& partition : assigned) {
    if (partition.topic != topic)
      out += (out.empty() ? "" : " ") + partition.topic + ":";
    else
      out += ",";
    topic = partition.topic;
    out += std::to_string(partition.number);
  }
  return out;
}

std::string view_text(const GroupView& view) {
  const auto& group = view.group;
  std::int64_t lag = 0;
  for (const auto& offset : view.offsets) lag += offset.lag().value_or(0);
  std::string out = "group        " + printable(group.id) + "\nstate        " + group.state +
                    "\ncoordinator  " + printable(group.coordinator) + "\n";
  if (!group.assignor.empty()) out += "assignor     " + printable(group.assignor) + "\n";
  out += "lag          " + with_thousands(lag) + " records\n";
  Table members{{{"member"}, {"client"}, {"host"}, {"instance"}, {"partitions"}}, {}};
  for (const auto& m : group.members)
    members.rows.push_back({m.id, m.client, m.host, m.instance, assignment_text(m.assigned)});
  out += members.rows.empty() ? "\nno members\n" : "\n" + print_table(members, TableFormat::table);
  if (view.offsets.empty()) return out + "\nno offsets committed\n";
  Table offsets{{{"topic"},
                 {"partition", ColumnKind::number},
                 {"committed", ColumnKind::number},
                 {"end", ColumnKind::number},
                 {"lag", ColumnKind::number},
                 {"member"}},
                {}};
  for (const auto& o : view.offsets)
    offsets.rows.push_back({o.partition.topic, std::to_string(o.partition.number),
                            text_of(o.committed), o.ends ? text_of(o.ends->end) : "",
                            o.lag() ? std::to_string(*o.lag()) : "", o.member});
  return out + "\n" + print_table(offsets, TableFormat::table);
}

void write_number(serde::JsonWriter& json, const char* name, std::optional<std::int64_t> number) {
  json.key(name);
  number ? json.integer(*number) : json.null();
}

void write_members(serde::JsonWriter& json, const std::vector<bus::KafkaMember>& members) {
  json.key("members");
  json.begin_array();
  for (const auto& member : members) {
    json.begin_object();
    json.field("member", member.id);
    json.field("client", member.client);
    json.field("host", member.host);
    json.field("instance", member.instance);
    json.key("partitions");
    json.begin_array();
    for (const auto& partition : member.assigned) {
      json.begin_object();
      json.field("topic", partition.topic);
      json.field("partition", std::int64_t{partition.number});
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_view(serde::JsonWriter& json, const GroupView& view) {
  json.begin_object();
  json.field("group", view.group.id);
  json.field("state", view.group.state);
  json.field("coordinator", view.group.coordinator);
  json.field("assignor", view.group.assignor);
  write_members(json, view.group.members);
  json.key("offsets");
  json.begin_array();
  for (const auto& offset : view.offsets) {
    json.begin_object();
    json.field("topic", offset.partition.topic);
    json.field("partition", std::int64_t{offset.partition.number});
    write_number(json, "committed",
                 offset.committed ? std::optional(offset.committed->value) : std::nullopt);
    write_number(json, "end", offset.ends ? std::optional(offset.ends->end.value) : std::nullopt);
    write_number(json, "lag", offset.lag());
    json.field("member", offset.member);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

// The partitions of --topic, or all that the group has committed.
Result<std::vector<GroupOffset>> chosen_offsets(bus::KafkaAdmin& admin, const KafkaArguments& a) {
  const auto committed = admin.committed(a.name);
  if (!committed) return pass(committed.error());
  auto offsets = group_offsets(*committed, {});
  if (a.group.topics.empty()) {
    if (offsets.empty())
      return fail(ErrorKind::not_found, "group '" + printable(a.name) +
                                            "' has committed nothing; name what it shall read "
                                            "with --topic");
    return offsets;
  }
  std::vector<GroupOffset> chosen;
  for (const auto& text : a.group.topics) {
    const auto choice = parse_topic_choice(text);
    if (!choice) return pass(choice.error());
    const auto topic = admin.topic(choice->topic);
    if (!topic) return pass(topic.error());
    for (const auto number : choice->partitions)
      if (number >= static_cast<std::int32_t>(topic->partitions.size()))
        return fail(ErrorKind::not_found, "--topic '" + printable(text) + "': the topic has " +
                                              std::to_string(topic->partitions.size()) +
                                              " partitions, from 0 on");
    for (const auto& partition : topic->partitions) {
      const bool wanted = choice->partitions.empty() ||
                          std::find(choice->partitions.begin(), choice->partitions.end(),
                                    partition.number) != choice->partitions.end();
      const bus::Partition id{choice->topic, partition.number};
      const auto same = [&](const GroupOffset& offset) { return offset.partition == id; };
      if (!wanted || std::any_of(chosen.begin(), chosen.end(), same)) continue;
      const auto known = std::find_if(offsets.begin(), offsets.end(), same);
      chosen.push_back(known == offsets.end() ? GroupOffset{id, {}, {}, {}} : *known);
    }
  }
  return chosen;
}

Result<std::vector<OffsetMove>> planned(bus::KafkaAdmin& admin, const KafkaArguments& a,
                                        const OffsetSpec& spec) {
  auto offsets = chosen_offsets(admin, a);
  if (!offsets) return pass(std::move(offsets.error()));
  if (auto found = find_ends(admin, *offsets); !found) return pass(std::move(found.error()));
  if (spec.kind != OffsetSpec::Kind::time) return plan_reset(spec, *offsets, {});
  std::vector<bus::Partition> partitions;
  for (const auto& offset : *offsets) partitions.push_back(offset.partition);
  const auto at_time = admin.offsets_at(partitions, spec.time);
  if (!at_time) return pass(at_time.error());
  return plan_reset(spec, *offsets, *at_time);
}

// A group with members would commit over the reset at once. One that nobody knows is fine: its
// offsets may be set before its first member comes.
Result<void> check_no_members(bus::KafkaAdmin& admin, const std::string& id) {
  const auto group = admin.group(id);
  if (!group)
    return group.error().kind == ErrorKind::not_found ? Result<void>{} : pass(group.error());
  if (group->members.empty()) return {};
  return fail(ErrorKind::busy, "reset the offsets of group '" + printable(id) + "': it is " +
                                   group->state + " with " + std::to_string(group->members.size()) +
                                   " members, who would go on where they are; stop them first");
}

}  // namespace

int run_groups_list(const Arguments& arguments, Console& console) {
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  const auto groups = admin->groups();
  if (!groups) return fail_kafka(console, groups.error());
  Table table{{{"group"}, {"state"}, {"kind"}}, {}};
  for (const auto& group : *groups)
    table.rows.push_back({group.id, group.state, group.simple ? "offsets only" : "consumer"});
  console.print(print_table(table, format_of(arguments)));
  return kExitDone;
}

int run_groups_describe(const Arguments& arguments, Console& console) {
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  std::string out;
  serde::JsonWriter json(out);
  if (arguments.json) json.begin_array();
  for (const auto& id : arguments.kafka.names) {
    const auto view = view_of(*admin, id);
    if (!view) return fail_kafka(console, view.error());
    if (arguments.json)
      write_view(json, *view);
    else
      out += (out.empty() ? "" : "\n") + view_text(*view);
  }
  if (arguments.json) {
    json.end_array();
    out += "\n";
  }
  console.print(out);
  return kExitDone;
}

int run_groups_reset_offsets(const Arguments& arguments, Console& console) {
  const KafkaArguments& a = arguments.kafka;
  io::RealClock clock;
  const auto spec = parse_offset_spec(a.group.to, clock.now(), "--to");
  if (!spec) return fail_kafka(console, spec.error());
  if (a.group.execute && a.group.dry_run)
    return fail_kafka(console, {ErrorKind::invalid,
                                "groups reset-offsets: --execute and --dry-run contradict each "
                                "other; say one of them"});
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  if (auto checked = check_no_members(*admin, a.name); !checked)
    return fail_kafka(console, checked.error());
  const auto moves = planned(*admin, a, *spec);
  if (!moves) return fail_kafka(console, moves.error());
  Table table{{{"topic"},
               {"partition", ColumnKind::number},
               {"from", ColumnKind::number},
               {"to", ColumnKind::number}},
              {}};
  std::vector<bus::Commit::Position> positions;
  for (const auto& move : *moves) {
    table.rows.push_back({move.partition.topic, std::to_string(move.partition.number),
                          text_of(move.from), text_of(move.to)});
    positions.push_back({move.partition, move.to});
  }
  if (a.group.execute)
    if (auto set = admin->commit(a.name, positions); !set) return fail_kafka(console, set.error());
  console.print(print_table(table, format_of(arguments)));
  console.say(a.group.execute ? "done: group '" + printable(a.name) + "' begins there"
                              : "nothing is changed; say --execute to do it");
  return kExitDone;
}

int run_groups_delete(const Arguments& arguments, Console& console) {
  const KafkaArguments& a = arguments.kafka;
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  std::string names;
  for (const auto& id : a.names) names += (names.empty() ? "'" : ", '") + printable(id) + "'";
  if (!a.yes && !confirm(console, "Delete " + names + " with their offsets?")) return kExitNo;
  int code = kExitDone;
  for (const auto& id : a.names) {
    const auto gone = admin->delete_group(id);
    if (gone)
      console.say("deleted " + printable(id));
    else if (const int failed = fail_kafka(console, gone.error()); code == kExitDone)
      code = failed;
  }
  return code;
}

}  // namespace adbrook::app
