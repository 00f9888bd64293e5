// All settings of the engine: one TOML file, the environment and flags over the rooms' own tables.
// `serve` and `config check` share this one validator; docs/SETTINGS.md is printed from it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ads/click_topology.h"
#include "ads/click_views.h"
#include "app/server_options.h"
#include "base/result.h"
#include "base/settings.h"
#include "broker/broker_options.h"
#include "broker/group_options.h"
#include "http/server_options.h"
#include "log/log_options.h"
#include "stream/stream_options.h"

namespace adbrook::app {

struct Settings {
  EngineOptions engine;
  http::ServerOptions http;
  AccessOptions access;
  broker::BrokerOptions kafka;
  broker::GroupOptions kafka_groups;
  log::LogOptions log;
  stream::StreamOptions streams;
  ads::ClickJoinOptions clicks;
  ads::ViewOptions views;
};

// Visits (section, options) of every room, in the order of the settings page. A new room's table is
// one line here.
template <class SettingsType, class Visit>
void for_each_section(SettingsType& settings, Visit visit) {
  visit("engine", settings.engine);
  visit("http", settings.http);
  visit("http", settings.access);
  visit("kafka", settings.kafka);
  visit("kafka", settings.kafka_groups);
  visit("log", settings.log);
  visit("streams", settings.streams);
  visit("clicks", settings.clicks);
  visit("views", settings.views);
}

// Where a value came from, most important last.
enum class SettingOrigin { built_in, file, environment, flag };
std::string_view to_string(SettingOrigin origin);

// NAME=VALUE as in the process environment.
using Environment = std::vector<std::pair<std::string, std::string>>;

// Collects values from file, environment and flags, in that order, and keeps every complaint.
// Owned by one thread.
class SettingsReader {
 public:
  // `place` is the file's name as the user wrote it.
  void read_file(std::string_view text, std::string_view place);
  // Takes the variables that start with ADBROOK__; ADBROOK__LOG__SEGMENT_BYTES is
  // log.segment.bytes.
  void read_environment(const Environment& environment);
  // One "log.segment.bytes", "64MiB" from the command line; `flag` is what the user typed.
  void read_flag(std::string_view key, std::string_view value, std::string_view flag);
  // Checks what only all values together can tell. Call it last.
  void finish();

  const Settings& settings() const { return settings_; }
  SettingOrigin origin(const std::string& key) const;
  // One sentence each: place, key, value, rule, what to do. Empty when all is well.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // One sentence each about a value that is not used as it was written. They stop nothing.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void set(std::string_view key, std::string_view value, std::string_view place,
           SettingOrigin origin);
  void complain_about_unknown(std::string_view key, std::string_view place);

  Settings settings_;
  std::map<std::string, SettingOrigin, std::less<>> origins_;
  std::vector<std::string> complaints_;
  std::vector<std::string> notes_;
};

// Every setting with its full key ("log.segment.bytes").
std::vector<SettingRow> all_setting_rows(const Settings& settings);

// docs/SETTINGS.md, and a settings file with every default in it.
std::string settings_page();
std::string settings_template();

// Reads file, environment and `flags` (full key, value, flag as typed) in one go; an empty path
// means no file. not_found: no such file; invalid: all complaints, one per line.
struct SettingFlag {
  std::string key, value, flag;
};
struct LoadedSettings {
  Settings settings;
  std::vector<std::pair<SettingRow, SettingOrigin>> rows;
  std::vector<std::string> notes;  // for whoever starts something with them
};
Result<LoadedSettings> load_settings(const std::string& path, const Environment& environment,
                                     const std::vector<SettingFlag>& flags);

}  // namespace adbrook::app
