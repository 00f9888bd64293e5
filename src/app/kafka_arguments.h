// What a user can type behind the commands that talk to a Kafka cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adbrook::app {

struct TopicArguments {
  int partitions = -1;  // -1: the cluster's default, or unchanged
  int replicas = -1;
  std::vector<std::string> config;         // KEY=VALUE
  std::vector<std::string> config_delete;  // KEY
  bool unless_it_exists = false;
  bool internal = false;
  bool all_settings = false;
};

struct GroupArguments {
  std::string to;
  std::vector<std::string> topics;  // TOPIC or TOPIC:0,2
  bool dry_run = false;
  bool execute = false;
};

struct ProduceArguments {
  std::vector<std::string> files;
  std::string delimiter = "\\n";
  std::string key_delimiter;
  std::string key;
  int partition = -1;
  std::vector<std::string> headers;  // NAME=VALUE
  std::string acks = "all";
  std::string compression = "none";
  bool empty_is_null = false;
  bool whole_files = false;
};

struct ConsumeArguments {
  std::string offset = "beginning";
  std::int64_t count = 0;  // 0: no limit
  std::string format;
  std::vector<int> partitions;
  std::string group;
  bool once = false;
  bool raw = false;
};

struct KafkaArguments {
  std::string bootstrap = "127.0.0.1:9092";
  std::vector<std::string> properties;  // KEY=VALUE
  std::string timeout = "10s";
  std::string name;                // the one topic or group
  std::vector<std::string> names;  // topics or groups
  bool yes = false;
  TopicArguments topic;
  GroupArguments group;
  ProduceArguments produce;
  ConsumeArguments consume;
};

}  // namespace adbrook::app
