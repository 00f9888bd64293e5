// Declares commands once for both sides: CLI11, which parses them, and CommandDescription, from
// which help, completions and the manual page are printed.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "app/command_tree.h"

namespace adbrook::app {

// A command under construction: CLI11 parses it, the description prints it.
class CommandBuilder {
 public:
  CommandBuilder(CLI::App& app, CommandDescription& description)
      : app_(app), description_(description) {}

  CommandBuilder command(const std::string& name, const std::string& about) {
    description_.commands.push_back({name, about, {}, {}, {}, {}, false});
    return {*app_.add_subcommand(name, about), description_.commands.back()};
  }
  CommandBuilder& example(const std::string& command, const std::string& about) {
    description_.examples.push_back({command, about});
    return *this;
  }
  template <class T>
  CommandBuilder& option(const std::string& names, T& value, const std::string& value_name,
                         const std::string& about, ValueKind kind = ValueKind::text) {
    CLI::Option* option = app_.add_option(names, value, about)->capture_default_str();
    OptionDescription added = described(names, value_name, about, kind);
    added.default_value = option->get_default_str();
    added.repeatable = option->get_items_expected_max() > 1;
    if (added.repeatable) {
      added.default_value.clear();
      if (names.starts_with('-')) option->take_all()->allow_extra_args(false);
    }
    (names.starts_with('-') ? description_.options : description_.positionals).push_back(added);
    last_ = option;
    return *this;
  }
  CommandBuilder& choice(const std::string& name, std::string& value,
                         const std::vector<std::string>& choices, const std::string& about) {
    std::string joined;
    for (const auto& item : choices) joined += (joined.empty() ? "" : "|") + item;
    option(name, value, joined, about, ValueKind::choice);
    last_->check(CLI::IsMember(choices));
    (name.starts_with('-') ? description_.options : description_.positionals).back().choices =
        choices;
    return *this;
  }
  CommandBuilder& toggle(const std::string& names, bool& value, const std::string& about) {
    app_.add_flag(names, value, about);
    description_.options.push_back(described(names, "", about, ValueKind::none));
    return *this;
  }
  CommandBuilder& required() {
    last_->required();
    const bool positional = last_->get_positional();
    (positional ? description_.positionals : description_.options).back().required = true;
    return *this;
  }
  CommandBuilder& hidden() {
    description_.hidden = true;
    return *this;
  }
  CommandBuilder& needs_subcommand() {
    app_.require_subcommand(1);
    return *this;
  }

 private:
  // "-o,--offset" is --offset with another name; so is "--to,--server".
  static OptionDescription described(const std::string& names, const std::string& value_name,
                                     const std::string& about, ValueKind kind) {
    OptionDescription added;
    added.value_name = value_name;
    added.about = about;
    added.kind = kind;
    for (std::size_t at = 0; at < names.size();) {
      const std::size_t comma = std::min(names.find(',', at), names.size());
      std::string name = names.substr(at, comma - at);
      const bool is_first_long = added.name.empty() && (name.starts_with("--") || name[0] != '-');
      if (is_first_long)
        added.name = std::move(name);
      else
        added.other_names.push_back(std::move(name));
      at = comma + 1;
    }
    if (added.name.empty()) {
      added.name = added.other_names.front();
      added.other_names.erase(added.other_names.begin());
    }
    return added;
  }

  CLI::App& app_;
  CommandDescription& description_;
  CLI::Option* last_ = nullptr;
};

// Declared in files of their own, since they are many: topics, groups, produce, consume; cars.
void add_kafka_commands(CommandBuilder& root, Arguments& arguments);
void add_car_commands(CommandBuilder& root, Arguments& arguments);

// Flags that commands of several files have.
void add_settings_flags(
    CommandBuilder& to, SettingsArguments& a, const std::string& data = "./adbrook-data",
    const std::string& about_kafka = "Address of the Kafka endpoint (default 127.0.0.1:9092)");
void add_cluster_flags(CommandBuilder& to, KafkaArguments& a);

}  // namespace adbrook::app
