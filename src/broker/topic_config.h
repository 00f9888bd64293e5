// A topic's settings under Kafka's names: reading, checking, showing all of them with defaults.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/broker_options.h"
#include "broker/group_options.h"
#include "log/log_options.h"

namespace adbrook::broker {

// Kafka's numbers for the type of a value in DescribeConfigs.
enum class ConfigType : std::int8_t {
  boolean = 1,
  string = 2,
  int32 = 3,
  int64 = 5,
  floating = 6,
  list = 7,
};

struct ShownConfig {
  std::string name;
  std::string value;
  std::string default_value;
  ConfigType type = ConfigType::string;
  bool given = false;  // set for this topic
  std::string about;
};

// What was set for a topic, by name.
using GivenConfig = std::map<std::string, std::string>;

// The settings of a topic with these given ones; the rest are this broker's defaults. invalid: an
// unknown name, or a value that it does not take.
Result<log::TopicConfig> make_topic_config(const GivenConfig& given, const BrokerOptions& options);

// Every setting there is, in the order of names.
std::vector<ShownConfig> show_topic_config(const log::TopicConfig& config,
                                           const BrokerOptions& options);
// True for settings whose value is a list, which can be appended to.
bool is_list_config(std::string_view name);

// The broker's own settings, for tools that ask for them; they are read-only here.
std::vector<ShownConfig> show_broker_config(const BrokerOptions& options,
                                            const GroupOptions& groups,
                                            const std::string& advertised);

}  // namespace adbrook::broker
