#include "broker/topic_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "base/text.h"

namespace adbrook::broker {
namespace {

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
// Smaller segments than this are taken as this: each is several files.
constexpr std::int64_t kSegmentBytesMin = 64 << 10;

using log::TopicConfig;

// One setting: how it is checked, and the field of the log that it moves (most have one; the others
// are taken and shown for the sake of clients that set them, see docs/kafka.md).
struct Row {
  std::string_view name;
  ConfigType type;
  std::string_view built_in;  // the default, unless the broker's options have it
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::string_view choices;  // comma-separated, for text
  std::string_view about;
  void (*apply)(TopicConfig&, std::string_view value, std::int64_t number) = nullptr;
  std::string (*show)(const TopicConfig&) = nullptr;
  std::string (*standard)(const BrokerOptions&) = nullptr;
};

// None for "producer": batches stay as they came.
std::optional<record::Compression> codec_of(std::string_view value) {
  using record::Compression;
  for (const Compression codec :
       {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd})
    if (value == record::to_string(codec)) return codec;
  if (value == "uncompressed") return Compression::none;
  return std::nullopt;
}

std::string text(std::int64_t number) { return std::to_string(number); }

const std::array kRows{
    Row{.name = "adbrook.durability",
        .type = ConfigType::string,
        .built_in = "sync",
        .choices = "sync,relaxed",
        .about = "When a record is acknowledged: after fdatasync, or from the page cache.",
        .apply =
            [](TopicConfig& c, std::string_view value, std::int64_t) {
              c.durability = value == "relaxed" ? log::Durability::relaxed : log::Durability::sync;
            },
        .show =
            [](const TopicConfig& c) {
              return std::string(c.durability == log::Durability::relaxed ? "relaxed" : "sync");
            }},
    Row{.name = "cleanup.policy",
        .type = ConfigType::list,
        .built_in = "delete",
        .choices = "compact,delete",
        .about = "Whether old records go by age and size, by key, or both."},
    Row{.name = "compression.type",
        .type = ConfigType::string,
        .built_in = "producer",
        .choices = "producer,uncompressed,gzip,snappy,lz4,zstd",
        .about = "How batches are stored; producer keeps them as they came.",
        .apply = [](TopicConfig& c, std::string_view value,
                    std::int64_t) { c.compression = codec_of(value); },
        .show =
            [](const TopicConfig& c) {
              if (!c.compression) return std::string("producer");
              return *c.compression == record::Compression::none
                         ? std::string("uncompressed")
                         : std::string(record::to_string(*c.compression));
            }},
    Row{.name = "delete.retention.ms",
        .type = ConfigType::int64,
        .built_in = "86400000",
        .most = kInt64Max,
        .about = "How long a deletion stays visible in a compacted topic."},
    Row{.name = "file.delete.delay.ms",
        .type = ConfigType::int64,
        .built_in = "60000",
        .most = kInt64Max,
        .about = "Taken for compatibility; files go at once."},
    Row{.name = "flush.messages",
        .type = ConfigType::int64,
        .built_in = "9223372036854775807",
        .least = 1,
        .most = kInt64Max,
        .about = "Taken for compatibility; see adbrook.durability."},
    Row{.name = "flush.ms",
        .type = ConfigType::int64,
        .built_in = "9223372036854775807",
        .most = kInt64Max,
        .about = "Taken for compatibility; see adbrook.durability."},
    Row{.name = "index.interval.bytes",
        .type = ConfigType::int32,
        .built_in = "4096",
        .most = kInt32Max,
        .about = "Taken for compatibility; every batch is indexed."},
    Row{.name = "max.compaction.lag.ms",
        .type = ConfigType::int64,
        .built_in = "9223372036854775807",
        .least = 1,
        .most = kInt64Max,
        .about = "How long a record may stay uncompacted."},
    Row{.name = "max.message.bytes",
        .type = ConfigType::int32,
        .built_in = "1048588",
        .most = kInt32Max,
        .about = "Largest record batch.",
        .apply = [](TopicConfig& c, std::string_view,
                    std::int64_t n) { c.message_bytes_max = {n}; },
        .show = [](const TopicConfig& c) { return text(c.message_bytes_max.count); },
        .standard = [](const BrokerOptions& o) { return text(o.message_max.count); }},
    Row{.name = "message.timestamp.after.max.ms",
        .type = ConfigType::int64,
        .built_in = "9223372036854775807",
        .most = kInt64Max,
        .about = "How far in the future a record's time may lie.",
        .apply =
            [](TopicConfig& c, std::string_view, std::int64_t n) {
              c.timestamp_after_max = n == kInt64Max ? Millis(-1) : Millis(n);
            }},
    Row{.name = "message.timestamp.before.max.ms",
        .type = ConfigType::int64,
        .built_in = "9223372036854775807",
        .most = kInt64Max,
        .about = "How far in the past a record's time may lie.",
        .apply =
            [](TopicConfig& c, std::string_view, std::int64_t n) {
              c.timestamp_before_max = n == kInt64Max ? Millis(-1) : Millis(n);
            }},
    Row{.name = "message.timestamp.type",
        .type = ConfigType::string,
        .built_in = "CreateTime",
        .choices = "CreateTime,LogAppendTime",
        .about = "Whether a record's time is its producer's or the log's.",
        .apply =
            [](TopicConfig& c, std::string_view value, std::int64_t) {
              c.timestamp_type = value == "LogAppendTime" ? log::TimestampType::log_append_time
                                                          : log::TimestampType::create_time;
            }},
    Row{.name = "min.cleanable.dirty.ratio",
        .type = ConfigType::floating,
        .built_in = "0.5",
        .most = 1,
        .about = "Share of bytes not yet compacted that starts compaction."},
    Row{.name = "min.compaction.lag.ms",
        .type = ConfigType::int64,
        .built_in = "0",
        .most = kInt64Max,
        .about = "How long a record stays uncompacted, counted from its append."},
    Row{.name = "min.insync.replicas",
        .type = ConfigType::int32,
        .built_in = "1",
        .least = 1,
        .most = 1,
        .about = "There is one replica."},
    Row{.name = "preallocate",
        .type = ConfigType::boolean,
        .built_in = "false",
        .about = "Taken for compatibility."},
    Row{.name = "retention.bytes",
        .type = ConfigType::int64,
        .built_in = "-1",
        .least = -1,
        .most = kInt64Max,
        .about = "What a partition keeps; -1 has no limit.",
        .apply = [](TopicConfig& c, std::string_view, std::int64_t n) { c.retention_bytes = {n}; },
        .show = [](const TopicConfig& c) { return text(c.retention_bytes.count); },
        .standard = [](const BrokerOptions& o) { return text(o.retention_bytes.count); }},
    Row{.name = "retention.ms",
        .type = ConfigType::int64,
        .built_in = "604800000",
        .least = -1,
        .most = kInt64Max,
        .about = "How long records are kept, counted from their append; -1 for ever.",
        .apply = [](TopicConfig& c, std::string_view, std::int64_t n) { c.retention = Millis(n); },
        .show = [](const TopicConfig& c) { return text(c.retention.count()); },
        .standard = [](const BrokerOptions& o) { return text(o.retention.count()); }},
    Row{.name = "segment.bytes",
        .type = ConfigType::int32,
        .built_in = "134217728",
        .least = 14,
        .most = kInt32Max,
        .about = "Size of one segment; below 64 KiB is taken as 64 KiB.",
        .apply = [](TopicConfig& c, std::string_view,
                    std::int64_t n) { c.segment_bytes = {std::max(n, kSegmentBytesMin)}; },
        .show = [](const TopicConfig& c) { return text(c.segment_bytes.count); }},
    Row{.name = "segment.index.bytes",
        .type = ConfigType::int32,
        .built_in = "10485760",
        .least = 4,
        .most = kInt32Max,
        .about = "Taken for compatibility."},
    Row{.name = "segment.jitter.ms",
        .type = ConfigType::int64,
        .built_in = "0",
        .most = kInt64Max,
        .about = "Taken for compatibility."},
    Row{.name = "segment.ms",
        .type = ConfigType::int64,
        .built_in = "604800000",
        .least = 1,
        .most = kInt64Max,
        .about = "How long a segment takes records.",
        .apply = [](TopicConfig& c, std::string_view,
                    std::int64_t n) { c.segment_time = Millis(n); }},
    Row{.name = "unclean.leader.election.enable",
        .type = ConfigType::boolean,
        .built_in = "false",
        .about = "Taken for compatibility; there is one replica."},
};

const Row* find_row(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &Row::name);
  return found == kRows.end() ? nullptr : &*found;
}

bool is_choice(std::string_view choices, std::string_view value) {
  for (std::size_t at = 0; at <= choices.size();) {
    const std::size_t comma = std::min(choices.find(',', at), choices.size());
    if (choices.substr(at, comma - at) == value) return true;
    at = comma + 1;
  }
  return false;
}

bool all_choices(std::string_view choices, std::string_view list) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    if (!is_choice(choices, list.substr(at, comma - at))) return false;
    at = comma + 1;
  }
  return true;
}

template <class T>
bool parse_whole(std::string_view value, T& number) {
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  return error == std::errc() && stop == end;
}

// False when the row does not take this value.
bool takes(const Row& row, std::string_view value, std::int64_t& number) {
  switch (row.type) {
    case ConfigType::boolean: return value == "true" || value == "false";
    case ConfigType::string: return is_choice(row.choices, value);
    case ConfigType::list: return all_choices(row.choices, value);
    case ConfigType::floating: {
      double ratio = 0;
      return parse_whole(value, ratio) && ratio >= 0 && ratio <= 1;
    }
    default: return parse_whole(value, number) && number >= row.least && number <= row.most;
  }
}

std::string rule_of(const Row& row) {
  switch (row.type) {
    case ConfigType::boolean: return "true or false";
    case ConfigType::string: return "one of " + std::string(row.choices);
    case ConfigType::list: return "some of " + std::string(row.choices);
    case ConfigType::floating: return "a number from 0 to 1";
    default: return "a whole number from " + text(row.least) + " to " + text(row.most);
  }
}

// "7d" and "64KiB" as 604800000 and 65536, by what the name says they are.
std::string bare_number(const ShownConfig& config) {
  if (config.name.ends_with(".ms")) {
    const auto duration = parse_duration(config.value);
    return duration ? text(duration->count()) : config.value;
  }
  Bytes bytes;
  if (config.name.ends_with(".bytes") && setting_text::parse(config.value, bytes))
    return text(bytes.count);
  return config.value;
}

std::string default_of(const Row& row, const BrokerOptions& options) {
  return row.standard == nullptr ? std::string(row.built_in) : row.standard(options);
}

}  // namespace

bool is_list_config(std::string_view name) {
  const Row* row = find_row(name);
  return row != nullptr && row->type == ConfigType::list;
}

Result<TopicConfig> make_topic_config(const GivenConfig& given, const BrokerOptions& options) {
  TopicConfig config;
  config.retention = options.retention;
  config.retention_bytes = options.retention_bytes;
  config.message_bytes_max = options.message_max;
  for (const auto& [name, value] : given) {
    const Row* row = find_row(name);
    if (row == nullptr)
      return fail(ErrorKind::invalid, "unknown topic config name: " + printable(name));
    std::int64_t number = 0;
    if (!takes(*row, value, number))
      return fail(ErrorKind::invalid, "invalid value " + printable(value) + " for configuration " +
                                          name + ": it takes " + rule_of(*row));
    if (row->apply != nullptr) row->apply(config, value, number);
  }
  config.given = given;
  return config;
}

std::vector<ShownConfig> show_topic_config(const TopicConfig& config,
                                           const BrokerOptions& options) {
  std::vector<ShownConfig> shown;
  for (const Row& row : kRows) {
    const auto given = config.given.find(std::string(row.name));
    const bool is_given = given != config.given.end();
    const std::string standard = default_of(row, options);
    std::string value = is_given              ? given->second
                        : row.show != nullptr ? row.show(config)
                                              : standard;
    shown.push_back({.name = std::string(row.name),
                     .value = std::move(value),
                     .default_value = standard,
                     .type = row.type,
                     .given = is_given,
                     .about = std::string(row.about)});
  }
  return shown;
}

std::vector<ShownConfig> show_broker_config(const BrokerOptions& options,
                                            const GroupOptions& groups,
                                            const std::string& advertised) {
  constexpr Millis kMinute{60'000};
  const auto number = [](std::int64_t n) { return text(n); };
  std::vector<ShownConfig> shown{
      {.name = "advertised.listeners", .value = "PLAINTEXT://" + advertised},
      {.name = "listeners", .value = "PLAINTEXT://" + advertised},
      {.name = "broker.id", .value = number(options.node_id), .type = ConfigType::int32},
      {.name = "default.replication.factor", .value = "1", .type = ConfigType::int32},
      {.name = "offsets.topic.replication.factor", .value = "1", .type = ConfigType::int32},
      {.name = "transaction.state.log.replication.factor", .value = "1", .type = ConfigType::int32},
      {.name = "min.insync.replicas", .value = "1", .type = ConfigType::int32},
      // Kafka has these in other units as well, and tools ask for them.
      {.name = "offsets.retention.minutes",
       .value = number(groups.offsets_retention / kMinute),
       .type = ConfigType::int32},
      {.name = "log.retention.minutes",
       .value = number(options.retention.count() < 0 ? -1 : options.retention / kMinute),
       .type = ConfigType::int32},
      {.name = "log.retention.hours",
       .value = number(options.retention.count() < 0 ? -1 : options.retention / (60 * kMinute)),
       .type = ConfigType::int32},
  };
  const auto add = [&](const std::vector<SettingRow>& rows) {
    for (const SettingRow& row : rows)
      if (row.key != "listen" && row.key != "advertise")
        shown.push_back({.name = row.key,
                         .value = row.value,
                         .default_value = row.default_value,
                         .given = row.value != row.default_value,
                         .about = row.about});
  };
  add(setting_rows(options));
  add(setting_rows(groups));
  // Kafka's clients read durations and sizes as bare numbers.
  for (ShownConfig& config : shown) config.value = bare_number(config);
  std::ranges::sort(shown, {}, &ShownConfig::name);
  return shown;
}

}  // namespace adbrook::broker
