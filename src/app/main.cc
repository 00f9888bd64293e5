// The adbrook binary: reads the command line and runs one command.
#include <array>
#include <string_view>
#include <utility>

#include "app/commands.h"

namespace adbrook::app {
namespace {

using Command = int (*)(const Arguments&, Console&);

constexpr std::array<std::pair<std::string_view, Command>, 35> kCommands = {{
    {"serve", run_serve},
    {"demo", run_demo},
    {"generate", run_generate},
    {"import", run_import},
    {"report click-through", run_report},
    {"event", run_event},
    {"audit", run_audit},
    {"dead-letters list", run_dead_letters_list},
    {"dead-letters show", run_dead_letters_show},
    {"dead-letters redrive", run_dead_letters_redrive},
    {"topics list", run_topics_list},
    {"topics create", run_topics_create},
    {"topics describe", run_topics_describe},
    {"topics delete", run_topics_delete},
    {"topics alter", run_topics_alter},
    {"groups list", run_groups_list},
    {"groups describe", run_groups_describe},
    {"groups reset-offsets", run_groups_reset_offsets},
    {"groups delete", run_groups_delete},
    {"produce", run_produce},
    {"consume", run_consume},
    {"cars serve", run_cars_serve},
    {"cars import", run_cars_import},
    {"cars alerts", run_cars_alerts},
    {"cars routes", run_cars_routes},
    {"cars recompute", run_cars_recompute},
    {"sign-url", run_sign_url},
    {"config check", run_config_check},
    {"config show", run_config_show},
    {"config init", run_config_init},
    {"config markdown", run_config_markdown},
    {"doctor", run_doctor},
    {"completions", run_completions},
    {"man", run_man},
    {"version", run_version},
}};

int run(const std::vector<std::string>& words, Console& console) {
  const ParsedCommandLine parsed = parse_command_line(words);
  console.print(parsed.out);
  if (!parsed.error.empty()) console.complain(parsed.error);
  if (!parsed.run) return parsed.exit_code;
  std::string name;
  for (const auto& word : parsed.arguments.command) name += (name.empty() ? "" : " ") + word;
  for (const auto& [known, command] : kCommands)
    if (known == name) return command(parsed.arguments, console);
  console.complain("the command '" + name + "' is in the tree but not in the table of main");
  return kExitUsage;
}

}  // namespace
}  // namespace adbrook::app

int main(int count, char** words) {
  adbrook::app::Console console;
  const int code = adbrook::app::run({words + 1, words + count}, console);
  if (console.finish()) return code;
  console.complain("not everything could be printed to stdout; check the pipe or the disk");
  return adbrook::app::kExitEnvironment;
}
