// The command line as plain values: the tree of commands with their flags, and what a user typed.
// Help, completions, the manual page and the parser are made from the one tree in command_tree.cc.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "app/kafka_arguments.h"
#include "base/result.h"

namespace adbrook::app {

// How the shell completes a value.
enum class ValueKind { none, text, file, directory, choice };

struct OptionDescription {
  std::string name;                      // "--server", or "FILE" for a positional
  std::vector<std::string> other_names;  // "-s"
  std::string value_name;
  std::string about;
  std::string default_value;
  ValueKind kind = ValueKind::none;  // none: a switch
  std::vector<std::string> choices;
  bool required = false;
  bool repeatable = false;
};

struct Example {
  std::string command;
  std::string about;
};

struct CommandDescription {
  std::string name;
  std::string about;
  std::vector<Example> examples;
  std::vector<OptionDescription> options;
  std::vector<OptionDescription> positionals;
  std::vector<CommandDescription> commands;
  bool hidden = false;
};

struct SettingsArguments {
  std::string config;
  std::string data;
  std::string http;
  std::string kafka;
  bool insecure_public = false;
  std::vector<std::string> set;  // KEY=VALUE
};

struct SendArguments {
  std::string to = "http://127.0.0.1:8080";
  std::string retry_for = "2min";
  std::int64_t batch = 1000;
  bool no_wait = false;
};

struct GenerateArguments {
  std::int64_t events = 0;
  double rate = 0;
  std::string duration;
  std::uint64_t seed = 42;
  std::int64_t campaigns = 10;
  std::int64_t publishers = 5;
  double ctr = 0.02;
  double duplicates = 0.01;
  double late = 0.005;
  double orphans = 0.005;
  std::string out_of_order = "5s";
  double malformed = 0.001;
  double bots = 0.01;
  std::string start;
  std::string span = "48h";
  std::string truth;
};

struct ImportArguments {
  std::vector<std::string> files;
  std::string as;
  std::string mapping;
  std::string speed = "max";
  bool retime = false;
};

struct ReportArguments {
  std::string by, from, to, bucket, sort, limit;
  std::vector<std::string> where;
};

struct RedriveArguments {
  std::vector<std::string> letters;  // their ids
  bool all = false;
  bool dry_run = false;
  std::string as = "came";       // came | impressions | clicks
  std::vector<std::string> set;  // FIELD=VALUE
  std::string with;              // a file whose bytes stand for those of the one letter
};

struct CarArguments {
  std::vector<std::string> files;
  std::string car;
};

struct SignArguments {
  std::string data;
  std::string base = "http://127.0.0.1:8080";
  std::string target;
  std::vector<std::string> parameters;  // NAME=VALUE of the click
};

// Everything a user can have typed; only the chosen command's part means anything.
struct Arguments {
  std::vector<std::string> command;  // {"report", "click-through"}
  std::string server = "http://127.0.0.1:8080";
  std::string wait = "10s";
  std::string format = "table";  // table | csv | json
  bool json = false;
  SettingsArguments settings;
  SendArguments send;
  GenerateArguments generate;
  ImportArguments import;
  ReportArguments report;
  SignArguments sign;
  KafkaArguments kafka;
  CarArguments cars;
  RedriveArguments redrive;
  std::string event_id;
  std::string against_truth;
  std::string reason;
  std::int64_t limit = 100;
  std::string shell;
};

// What to do after parsing: run `arguments.command`, or print `text` and end with `exit_code`.
struct ParsedCommandLine {
  Arguments arguments;
  bool run = false;
  int exit_code = 0;
  std::string out;    // help and version
  std::string error;  // wrong usage
};

ParsedCommandLine parse_command_line(const std::vector<std::string>& words);

// The tree that parse_command_line uses.
CommandDescription describe_commands();

inline constexpr int kExitDone = 0;
inline constexpr int kExitNo = 1;           // a check failed, or it was not found
inline constexpr int kExitUsage = 2;        // wrong usage or settings
inline constexpr int kExitEnvironment = 3;  // port busy, disk full, server unreachable
inline constexpr int kExitInterrupted = 130;

// The exit code that fits an error from a room.
int exit_code_of(ErrorKind kind);

}  // namespace adbrook::app
