#include "app/settings.h"

#include <algorithm>
#include <array>

#include "app/toml_parser.h"
#include "base/text.h"
#include "http/server.h"
#include "io/real_file_system.h"
#include "io/tcp.h"

namespace adbrook::app {
namespace {

constexpr std::uint64_t kSettingsFileBytesMax = 1 << 20;
constexpr std::string_view kEnvironmentPrefix = "ADBROOK__";

std::string full_key(std::string_view section, std::string_view key) {
  return std::string(section) + "." + std::string(key);
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (auto& row : all_setting_rows(Settings{})) keys.push_back(std::move(row.key));
  return keys;
}

std::string suggestion(std::string_view key) {
  const auto keys = known_keys();
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  return did_you_mean(key, views);
}

// One spelling for ADBROOK__LOG__SEGMENT_BYTES and log.segment.bytes.
std::string flattened(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool separator = c == '.' || c == '_' || c == '-';
    if (separator && out.ends_with('_')) continue;
    out += separator ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// Limits that are narrower than those an earlier version had. What a file of that time says must
// not keep the engine from starting.
struct FormerLimits {
  std::string_view key;
  Bytes least;
  Bytes most;
};
constexpr std::array kFormerLimits{FormerLimits{"log.wal.file.bytes", 1_MiB, 1024_MiB},
                                   FormerLimits{"log.append.queue.bytes", 1_MiB, 1024_MiB},
                                   FormerLimits{"kafka.decompressed.max.bytes", 1_MiB, 1024_MiB}};

// What is allowed now and nearest to a refused value that once was allowed; empty for others.
std::string nearest_allowed(std::string_view key, std::string_view value) {
  const auto former = std::ranges::find(kFormerLimits, key, &FormerLimits::key);
  Bytes asked{};
  if (former == kFormerLimits.end() || !setting_text::parse(value, asked)) return "";
  if (asked < former->least || former->most < asked) return "";
  for (const SettingRow& row : all_setting_rows(Settings{})) {
    Bytes least{};
    if (row.key == key && setting_text::parse(row.least, least))
      return asked < least ? row.least : row.most;
  }
  return "";
}

struct Leaf {
  std::string key;
  std::string value;
  std::uint32_t line;
  bool readable;
};

// The value as the tables read it; nothing for a kind of value no setting has.
bool leaf_text(const toml::node& node, std::string& text) {
  if (const auto* value = node.as_string())
    text = value->get();
  else if (const auto* number = node.as_integer())
    text = std::to_string(number->get());
  else if (const auto* real = node.as_floating_point())
    text = setting_text::show(real->get());
  else if (const auto* flag = node.as_boolean())
    text = flag->get() ? "true" : "false";
  else if (const auto* list = node.as_array()) {
    for (const auto& item : *list) {
      const auto* word = item.as_string();
      if (word == nullptr || word->get().find(',') != std::string::npos) return false;
      text += (text.empty() ? "" : ",") + word->get();
    }
  } else
    return false;
  return true;
}

// Depth is bounded by the TOML parser's own limit.
void collect_leaves(const toml::table& table, const std::string& prefix,
                    std::vector<Leaf>& leaves) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* child = node.as_table()) {
      collect_leaves(*child, key + ".", leaves);
      continue;
    }
    Leaf leaf{key, "", node.source().begin.line, true};
    leaf.readable = leaf_text(node, leaf.value);
    leaves.push_back(std::move(leaf));
  }
}

}  // namespace

std::string_view to_string(SettingOrigin origin) {
  switch (origin) {
    case SettingOrigin::built_in: return "default";
    case SettingOrigin::file: return "file";
    case SettingOrigin::environment: return "environment";
    case SettingOrigin::flag: return "flag";
  }
  return "default";
}

void SettingsReader::complain_about_unknown(std::string_view key, std::string_view place) {
  complaints_.push_back(std::string(place) + ": unknown setting '" + printable(key) + "'" +
                        suggestion(key) + "; `adbrook config show` lists all of them");
}

void SettingsReader::set(std::string_view key, std::string_view value, std::string_view place,
                         SettingOrigin origin) {
  bool found = false;
  for_each_section(settings_, [&](std::string_view section, auto& options) {
    if (!key.starts_with(section) || key.substr(section.size(), 1) != ".") return;
    const std::string_view name = key.substr(section.size() + 1);
    auto result = set_setting(options, name, value);
    if (!result && result.error().kind == ErrorKind::not_found) return;
    found = true;
    if (const auto nearest = result ? "" : nearest_allowed(key, value); !nearest.empty()) {
      notes_.push_back(std::string(place) + ": " + std::string(key) + " = '" + printable(value) +
                       "': an earlier version took it, but " + result.error().message + "; " +
                       nearest + " is used, write that instead");
      result = set_setting(options, name, nearest);
    }
    if (result)
      origins_[std::string(key)] = origin;
    else
      complaints_.push_back(std::string(place) + ": " + std::string(key) + " = '" +
                            printable(value) + "': " + result.error().message);
  });
  if (!found) complain_about_unknown(key, place);
}

void SettingsReader::read_file(std::string_view text, std::string_view place) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    complaints_.push_back(std::string(place) + ":" +
                          std::to_string(parsed.error().source().begin.line) +
                          ": this is not TOML: " + printable(parsed.error().description()) +
                          "; strings stand in quotes, see docs/SETTINGS.md");
    return;
  }
  std::vector<Leaf> leaves;
  collect_leaves(parsed.table(), "", leaves);
  std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
    return std::tie(a.line, a.key) < std::tie(b.line, b.key);
  });
  for (const Leaf& leaf : leaves) {
    const std::string at = std::string(place) + ":" + std::to_string(leaf.line);
    if (leaf.readable)
      set(leaf.key, leaf.value, at, SettingOrigin::file);
    else
      complaints_.push_back(at + ": " + printable(leaf.key) +
                            ": a setting is a text, a number, true, false or a list of texts "
                            "without commas");
  }
}

void SettingsReader::read_environment(const Environment& environment) {
  const auto keys = known_keys();
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kEnvironmentPrefix)) continue;
    const std::string wanted = flattened(std::string_view(name).substr(kEnvironmentPrefix.size()));
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const std::string& k) { return flattened(k) == wanted; });
    const std::string place = "environment variable " + printable(name);
    if (key != keys.end()) {
      set(*key, value, place, SettingOrigin::environment);
      continue;
    }
    std::string dotted = wanted;
    std::replace(dotted.begin(), dotted.end(), '_', '.');
    complain_about_unknown(dotted, place);
  }
}

void SettingsReader::read_flag(std::string_view key, std::string_view value,
                               std::string_view flag) {
  set(key, value, "flag " + std::string(flag), SettingOrigin::flag);
}

void SettingsReader::finish() {
  const auto check_address = [&](std::string_view key, const std::string& text) {
    if (const auto address = http::parse_host_port(text); !address)
      complaints_.push_back(std::string(key) + " = '" + printable(text) +
                            "': " + address.error().message);
    else if (!io::is_loopback(address->host) && !settings_.access.insecure_public)
      complaints_.push_back(
          std::string(key) + " = '" + printable(text) +
          "': an address that others can reach is refused without TLS and credentials; listen on "
          "127.0.0.1, or say --insecure-public (setting http.insecure.public) if the network is "
          "closed");
  };
  check_address("http.listen", settings_.http.listen);
  for (const std::string& address : settings_.kafka.listen) check_address("kafka.listen", address);
  if (settings_.kafka.listen.empty())
    complaints_.push_back("kafka.listen = '': the Kafka endpoint needs an address");
  const auto& clicks = settings_.clicks;
  if (clicks.within + clicks.grace > clicks.horizon)
    complaints_.push_back("clicks.join.within.ms = '" + format_duration(clicks.within) +
                          "': with clicks.join.grace.ms it is longer than clicks.dedupe.horizon.ms "
                          "(" +
                          format_duration(clicks.horizon) +
                          "), so impressions would be forgotten while their window is open; "
                          "lengthen the horizon");
  if (settings_.engine.data.empty())
    complaints_.push_back("engine.data = '': the data directory needs a name");
}

SettingOrigin SettingsReader::origin(const std::string& key) const {
  const auto found = origins_.find(key);
  return found == origins_.end() ? SettingOrigin::built_in : found->second;
}

std::vector<SettingRow> all_setting_rows(const Settings& settings) {
  std::vector<SettingRow> rows;
  for_each_section(settings, [&](std::string_view section, const auto& options) {
    for (auto& row : setting_rows(options)) {
      row.key = full_key(section, row.key);
      rows.push_back(std::move(row));
    }
  });
  return rows;
}

Result<LoadedSettings> load_settings(const std::string& path, const Environment& environment,
                                     const std::vector<SettingFlag>& flags) {
  SettingsReader reader;
  if (!path.empty()) {
    io::RealFileSystem files;
    const auto text = io::read_whole_file(files, path, kSettingsFileBytesMax);
    if (!text)
      return fail(text.error().kind, "settings file " + printable(path) + ": " +
                                         text.error().message + "; name another with --config");
    reader.read_file(as_text(*text), path);
  }
  reader.read_environment(environment);
  for (const auto& flag : flags) reader.read_flag(flag.key, flag.value, flag.flag);
  reader.finish();
  if (!reader.complaints().empty()) {
    std::string all;
    for (const auto& line : reader.complaints()) all += (all.empty() ? "" : "\n") + line;
    return fail(ErrorKind::invalid, all);
  }
  LoadedSettings loaded{reader.settings(), {}, reader.notes()};
  for (auto& row : all_setting_rows(loaded.settings)) {
    const auto origin = reader.origin(row.key);
    loaded.rows.emplace_back(std::move(row), origin);
  }
  return loaded;
}

}  // namespace adbrook::app
