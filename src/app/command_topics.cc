// `topics`: administration of topics over the Kafka protocol.
#include <algorithm>
#include <map>

#include "app/commands.h"
#include "app/kafka_flags.h"
#include "app/table.h"
#include "base/text.h"
#include "bus/kafka_admin.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

std::string joined(const std::vector<std::int32_t>& numbers) {
  std::string out;
  for (const auto value : numbers) out += (out.empty() ? "" : ",") + std::to_string(value);
  return out;
}

std::vector<bus::Partition> partitions_of(const bus::KafkaTopic& topic) {
  std::vector<bus::Partition> partitions;
  for (const auto& partition : topic.partitions)
    partitions.push_back({topic.name, partition.number});
  return partitions;
}

bool is_internal(const std::string& topic) { return topic.starts_with("__"); }

// How many offsets lie between the ends of each topic; a topic is absent when an end is unknown.
Result<std::map<std::string, std::int64_t>> record_counts(
    bus::KafkaAdmin& admin, const std::vector<bus::KafkaTopic>& topics) {
  std::vector<bus::Partition> partitions;
  for (const auto& topic : topics)
    for (auto& partition : partitions_of(topic)) partitions.push_back(std::move(partition));
  const auto ends = admin.ends(partitions);
  if (!ends) return pass(ends.error());
  std::map<std::string, std::int64_t> counts;
  for (const auto& found : *ends)
    if (found.ends) counts[found.partition.topic] += found.ends->end - found.ends->start;
  for (const auto& found : *ends)
    if (!found.ends) counts.erase(found.partition.topic);
  return counts;
}

struct Description {
  bus::KafkaTopic topic;
  std::vector<bus::KafkaEnds> ends;
  std::vector<bus::KafkaSetting> settings;
};

Result<Description> describe(bus::KafkaAdmin& admin, const std::string& name, bool all_settings) {
  auto topic = admin.topic(name);
  if (!topic) return pass(std::move(topic.error()));
  auto ends = admin.ends(partitions_of(*topic));
  if (!ends) return pass(std::move(ends.error()));
  auto settings = admin.settings(name);
  if (!settings) return pass(std::move(settings.error()));
  if (!all_settings) std::erase_if(*settings, [](const auto& s) { return !s.of_topic; });
  return Description{std::move(*topic), std::move(*ends), std::move(*settings)};
}

void write_partition(serde::JsonWriter& json, const bus::KafkaPartition& partition,
                     const std::optional<bus::Ends>& ends) {
  const auto numbers = [&](const char* name, const std::vector<std::int32_t>& values) {
    json.key(name);
    json.begin_array();
    for (const auto value : values) json.integer(value);
    json.end_array();
  };
  json.begin_object();
  json.field("partition", std::int64_t{partition.number});
  json.field("leader", std::int64_t{partition.leader});
  numbers("replicas", partition.replicas);
  numbers("in_sync", partition.in_sync);
  if (ends) {
    json.field("begin", ends->start.value);
    json.field("end", ends->end.value);
  }
  json.end_object();
}

void write_description(serde::JsonWriter& json, const Description& d) {
  json.begin_object();
  json.field("topic", d.topic.name);
  json.key("partitions");
  json.begin_array();
  for (std::size_t i = 0; i < d.topic.partitions.size(); ++i)
    write_partition(json, d.topic.partitions[i], d.ends[i].ends);
  json.end_array();
  json.key("settings");
  json.begin_array();
  for (const auto& setting : d.settings) {
    json.begin_object();
    json.field("name", setting.name);
    json.key("value");
    setting.value ? json.string(*setting.value) : json.null();
    json.field("source", setting.source);
    json.field("read_only", setting.read_only);
    json.field("secret", setting.secret);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

std::string description_text(const Description& d) {
  Table partitions{{{"partition", ColumnKind::number},
                    {"leader", ColumnKind::number},
                    {"replicas"},
                    {"in_sync"},
                    {"begin", ColumnKind::number},
                    {"end", ColumnKind::number},
                    {"records", ColumnKind::number}},
                   {}};
  for (std::size_t i = 0; i < d.topic.partitions.size(); ++i) {
    const auto& p = d.topic.partitions[i];
    const auto& ends = d.ends[i].ends;
    partitions.rows.push_back(
        {number(p.number), p.leader < 0 ? "" : number(p.leader), joined(p.replicas),
         joined(p.in_sync), ends ? number(ends->start.value) : "",
         ends ? number(ends->end.value) : "", ends ? number(ends->end - ends->start) : ""});
  }
  std::string out =
      "topic  " + printable(d.topic.name) + "\n\n" + print_table(partitions, TableFormat::table);
  if (d.settings.empty()) return out + "\nno settings of its own\n";
  Table settings{{{"setting"}, {"value"}, {"source"}}, {}};
  for (const auto& s : d.settings)
    settings.rows.push_back({s.name, s.value.value_or(s.secret ? "(secret)" : ""), s.source});
  return out + "\n" + print_table(settings, TableFormat::table);
}

// Does `act` for each name, says so, and goes on after a failure; the first exit code that is not
// 0.
template <class Act>
int for_each_name(const std::vector<std::string>& names, Console& console, const std::string& done,
                  const Act& act) {
  int code = kExitDone;
  for (const auto& name : names) {
    const Result<void> result = act(name);
    if (result)
      console.say(done + " " + printable(name));
    else if (const int failed = fail_kafka(console, result.error()); code == kExitDone)
      code = failed;
  }
  return code;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "'" : ", '") + printable(name) + "'";
  return out;
}

}  // namespace

int run_topics_list(const Arguments& arguments, Console& console) {
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  auto cluster = admin->cluster();
  if (!cluster) return fail_kafka(console, cluster.error());
  if (!arguments.kafka.topic.internal)
    std::erase_if(cluster->topics, [](const auto& topic) { return is_internal(topic.name); });
  const auto counts = record_counts(*admin, cluster->topics);
  if (!counts) return fail_kafka(console, counts.error());
  Table table{{{"topic"},
               {"partitions", ColumnKind::number},
               {"replicas", ColumnKind::number},
               {"records", ColumnKind::number}},
              {}};
  for (const auto& topic : cluster->topics) {
    const auto copies = topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
    const auto count = counts->find(topic.name);
    table.rows.push_back({topic.name, std::to_string(topic.partitions.size()),
                          std::to_string(copies),
                          count == counts->end() ? "" : number(count->second)});
  }
  console.print(print_table(table, arguments.json ? TableFormat::json : TableFormat::table));
  return kExitDone;
}

int run_topics_create(const Arguments& arguments, Console& console) {
  const TopicArguments& a = arguments.kafka.topic;
  const auto settings = split_pairs(a.config, "--config");
  if (!settings) return fail_kafka(console, settings.error());
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  return for_each_name(
      arguments.kafka.names, console, "created", [&](const std::string& name) -> Result<void> {
        auto made = admin->create_topic({name, a.partitions, a.replicas, *settings});
        const bool there = !made && made.error().kind == ErrorKind::already_exists;
        if (there && a.unless_it_exists) return {};
        return made;
      });
}

int run_topics_describe(const Arguments& arguments, Console& console) {
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  std::string out;
  serde::JsonWriter json(out);
  if (arguments.json) json.begin_array();
  for (const auto& name : arguments.kafka.names) {
    const auto described = describe(*admin, name, arguments.kafka.topic.all_settings);
    if (!described) return fail_kafka(console, described.error());
    if (arguments.json)
      write_description(json, *described);
    else
      out += (out.empty() ? "" : "\n") + description_text(*described);
  }
  if (arguments.json) {
    json.end_array();
    out += "\n";
  }
  console.print(out);
  return kExitDone;
}

int run_topics_delete(const Arguments& arguments, Console& console) {
  const auto& names = arguments.kafka.names;
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  if (!arguments.kafka.yes &&
      !confirm(console, "Delete " + quoted_list(names) + " with all their records?"))
    return kExitNo;
  return for_each_name(names, console, "deleted", [&](const std::string& name) -> Result<void> {
    // Asked first, so that a typo gets the nearest name.
    if (auto topic = admin->topic(name); !topic) return pass(std::move(topic.error()));
    return admin->delete_topic(name);
  });
}

int run_topics_alter(const Arguments& arguments, Console& console) {
  const TopicArguments& a = arguments.kafka.topic;
  const auto settings = split_pairs(a.config, "--config");
  if (!settings) return fail_kafka(console, settings.error());
  if (settings->empty() && a.config_delete.empty() && a.partitions < 0)
    return fail_kafka(console, {ErrorKind::invalid,
                                "topics alter: nothing to change; say --config KEY=VALUE, "
                                "--delete-config KEY or --partitions N"});
  auto admin = open_admin(arguments.kafka);
  if (!admin) return fail_kafka(console, admin.error());
  return for_each_name(arguments.kafka.names, console, "changed",
                       [&](const std::string& name) -> Result<void> {
                         if (auto topic = admin->topic(name); !topic)
                           return pass(std::move(topic.error()));
                         if (a.partitions >= 0)
                           if (auto grown = admin->grow_topic(name, a.partitions); !grown)
                             return grown;
                         if (settings->empty() && a.config_delete.empty()) return {};
                         return admin->alter_settings(name, *settings, a.config_delete);
                       });
}

}  // namespace adbrook::app
