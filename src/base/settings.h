// One constexpr table under each options struct parses, checks and prints its settings.
// A struct `XxxOptions` offers `static constexpr auto settings()`, a tuple of `Setting`s; a new
// setting is one line there. It is a template over the options, so that only `app/`, which reads
// the settings file, pays for compiling the tables.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook {

// `key` is relative to the section its room is mounted under, in Kafka's words for Kafka's things.
// Limits are inclusive; `about` is one sentence that gives the cost of a larger value.
template <class Options, class T>
struct Setting {
  std::string_view key;
  T Options::* member;
  std::optional<T> least;
  std::optional<T> most;
  std::string_view about;
};

namespace setting_text {

std::string show(bool value);
std::string show(std::int64_t value);
std::string show(double value);
std::string show(Bytes value);
std::string show(Millis value);
std::string show(const std::string& value);
std::string show(const std::vector<std::string>& value);  // comma-separated

// Each says in words what it would have taken when it returns an error.
Result<void> parse(std::string_view text, bool& value);
Result<void> parse(std::string_view text, std::int64_t& value);
Result<void> parse(std::string_view text, double& value);
Result<void> parse(std::string_view text, Bytes& value);  // 4096, 64KiB, 1MiB, 2GiB
Result<void> parse(std::string_view text, Millis& value);
Result<void> parse(std::string_view text, std::string& value);
Result<void> parse(std::string_view text, std::vector<std::string>& value);

}  // namespace setting_text

// Sets the one with this key. not_found: no such key; invalid: unreadable or outside its limits.
template <class Options>
Result<void> set_setting(Options& options, std::string_view key, std::string_view text) {
  Result<void> result = fail(ErrorKind::not_found, "unknown setting '" + std::string(key) + "'");
  const auto try_one = [&](const auto& setting) {
    if (setting.key != key) return;
    auto value = options.*setting.member;
    result = setting_text::parse(text, value);
    if (!result) return;
    if constexpr (requires { value < value; } && !std::is_same_v<decltype(value), std::string>) {
      if ((setting.least && value < *setting.least) || (setting.most && *setting.most < value)) {
        result = fail(ErrorKind::invalid,
                      setting_text::show(value) + " is outside its limits: at least " +
                          (setting.least ? setting_text::show(*setting.least) : "anything") +
                          ", at most " +
                          (setting.most ? setting_text::show(*setting.most) : "anything"));
        return;
      }
    }
    options.*setting.member = value;
  };
  std::apply([&](const auto&... setting) { (try_one(setting), ...); }, Options::settings());
  return result;
}

// One row of the settings page.
struct SettingRow {
  std::string key, value, default_value, least, most, about;
};

template <class Options>
std::vector<SettingRow> setting_rows(const Options& options) {
  const Options defaults;
  std::vector<SettingRow> rows;
  const auto add = [&](const auto& setting) {
    rows.push_back({std::string(setting.key), setting_text::show(options.*setting.member),
                    setting_text::show(defaults.*setting.member),
                    setting.least ? setting_text::show(*setting.least) : "",
                    setting.most ? setting_text::show(*setting.most) : "",
                    std::string(setting.about)});
  };
  std::apply([&](const auto&... setting) { (add(setting), ...); }, Options::settings());
  return rows;
}

}  // namespace adbrook
