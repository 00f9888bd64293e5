#include "app/settings.h"

namespace adbrook::app {
namespace {

std::string limits(const SettingRow& row) {
  if (row.least.empty() && row.most.empty()) return "";
  if (row.most.empty()) return "at least " + row.least;
  if (row.least.empty()) return "at most " + row.most;
  return row.least + " to " + row.most;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

std::string environment_name(const std::string& key) {
  std::string name = "ADBROOK__";
  const std::size_t section_end = key.find('.');
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i == section_end)
      name += "__";
    else if (key[i] == '.')
      name += '_';
    else
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(key[i])));
  }
  return name;
}

bool is_bare_toml(const std::string& value) {
  return value == "true" || value == "false" ||
         (!value.empty() && value.find_first_not_of("-0123456789.") == std::string::npos &&
          value.find_first_of("0123456789") != std::string::npos &&
          value.find('.') == value.rfind('.') && value.find('-', 1) == std::string::npos);
}

std::string section_of(const std::string& key) { return key.substr(0, key.find('.')); }

}  // namespace

std::string settings_page() {
  std::string page =
      "# Settings\n\n"
      "One TOML file, named with `--config FILE`. A flag wins over the environment, the "
      "environment "
      "over\nthe file, the file over the default. `adbrook config check` finds everything `serve` "
      "would;\n`adbrook config show` prints the values in force and where each came from;\n"
      "`adbrook config init > adbrook.toml` writes a file to start from. `--set KEY=VALUE` sets "
      "any "
      "of them\nfor one run.\n\n"
      "Sizes are bytes, or `64KiB`, `1MiB`, `2GiB`; durations are ms, or `250ms`, `10s`, `5min`, "
      "`24h`, `7d`.\n\nThis page is printed by the binary (`adbrook config markdown`); a test "
      "holds "
      "the two together.\n";
  std::string section;
  for (const SettingRow& row : all_setting_rows(Settings{})) {
    if (section_of(row.key) != section) {
      section = section_of(row.key);
      page +=
          "\n## " + section +
          "\n\n| key | default | allowed | what it does | environment |\n|---|---|---|---|---|\n";
    }
    page += "| `" + row.key + "` | " + code(row.default_value) + " | " + limits(row) + " | " +
            row.about + " | `" + environment_name(row.key) + "` |\n";
  }
  return page;
}

std::string settings_template() {
  std::string text =
      "# Settings of adbrook; every line shows the default. Remove the # to change one.\n"
      "# What each one does: docs/SETTINGS.md. Check with: adbrook config check --config FILE\n";
  std::string section;
  for (const SettingRow& row : all_setting_rows(Settings{})) {
    if (section_of(row.key) != section) {
      section = section_of(row.key);
      text += "\n[" + section + "]\n";
    }
    const std::string value =
        is_bare_toml(row.default_value) ? row.default_value : "\"" + row.default_value + "\"";
    text += "# " + row.about + "\n#" + row.key.substr(section.size() + 1) + " = " + value + "\n";
  }
  return text;
}

}  // namespace adbrook::app
