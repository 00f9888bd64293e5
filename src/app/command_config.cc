#include "app/command_text.h"
#include "app/commands.h"
#include "app/table.h"
#include "base/text.h"
#include "io/process.h"

namespace adbrook::app {

int fail_command(Console& console, const Error& error) {
  console.complain(error.message);
  return exit_code_of(error.kind);
}

Result<LoadedSettings> load_settings(const SettingsArguments& arguments) {
  std::vector<SettingFlag> flags;
  for (const auto& pair : arguments.set) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::invalid, "flag --set '" + printable(pair) +
                                          "': it must be KEY=VALUE, like log.segment.bytes=64MiB");
    flags.push_back({pair.substr(0, equals), pair.substr(equals + 1), "--set"});
  }
  const auto add = [&](const char* key, const std::string& value, const char* flag) {
    if (!value.empty()) flags.push_back({key, value, flag});
  };
  add("engine.data", arguments.data, "--data");
  add("http.listen", arguments.http, "--http");
  add("kafka.listen", arguments.kafka, "--kafka");
  if (arguments.insecure_public) add("http.insecure.public", "true", "--insecure-public");
  return load_settings(arguments.config, io::environment(), flags);
}

int run_config_check(const Arguments& arguments, Console& console) {
  const auto loaded = load_settings(arguments.settings);
  if (!loaded) {
    console.complain(loaded.error().message);
    return kExitUsage;
  }
  for (const std::string& note : loaded->notes) console.say("warning: " + note);
  console.say("the settings are valid");
  return kExitDone;
}

int run_config_show(const Arguments& arguments, Console& console) {
  const auto loaded = load_settings(arguments.settings);
  if (!loaded) {
    console.complain(loaded.error().message);
    return kExitUsage;
  }
  Table table{{{"key"}, {"value"}, {"from"}}, {}};
  for (const auto& [row, origin] : loaded->rows)
    table.rows.push_back({row.key, row.value, std::string(to_string(origin))});
  console.print(print_table(table, parse_table_format(arguments.format)));
  return kExitDone;
}

int run_config_init(const Arguments&, Console& console) {
  console.print(settings_template());
  return kExitDone;
}

int run_config_markdown(const Arguments&, Console& console) {
  console.print(settings_page());
  return kExitDone;
}

int run_completions(const Arguments& arguments, Console& console) {
  const auto root = describe_commands();
  if (arguments.shell == "zsh")
    console.print(zsh_completions(root));
  else if (arguments.shell == "fish")
    console.print(fish_completions(root));
  else
    console.print(bash_completions(root));
  return kExitDone;
}

int run_man(const Arguments&, Console& console) {
  console.print(manual_page(describe_commands()));
  return kExitDone;
}

int run_version(const Arguments&, Console& console) {
  console.print("adbrook " ADBROOK_VERSION "\n");
  return kExitDone;
}

}  // namespace adbrook::app
