// The commands: each takes what the user typed and returns the exit code of command_tree.h.
#pragma once

#include "app/command_tree.h"
#include "app/console.h"
#include "app/settings.h"

namespace adbrook::app {

int run_serve(const Arguments& arguments, Console& console);
int run_demo(const Arguments& arguments, Console& console);
int run_generate(const Arguments& arguments, Console& console);
int run_import(const Arguments& arguments, Console& console);
int run_report(const Arguments& arguments, Console& console);
int run_event(const Arguments& arguments, Console& console);
int run_audit(const Arguments& arguments, Console& console);
int run_dead_letters_list(const Arguments& arguments, Console& console);
int run_dead_letters_show(const Arguments& arguments, Console& console);
int run_dead_letters_redrive(const Arguments& arguments, Console& console);
int run_sign_url(const Arguments& arguments, Console& console);
int run_config_check(const Arguments& arguments, Console& console);
int run_config_show(const Arguments& arguments, Console& console);
int run_config_init(const Arguments& arguments, Console& console);
int run_config_markdown(const Arguments& arguments, Console& console);
int run_doctor(const Arguments& arguments, Console& console);
int run_topics_list(const Arguments& arguments, Console& console);
int run_topics_create(const Arguments& arguments, Console& console);
int run_topics_describe(const Arguments& arguments, Console& console);
int run_topics_delete(const Arguments& arguments, Console& console);
int run_topics_alter(const Arguments& arguments, Console& console);
int run_groups_list(const Arguments& arguments, Console& console);
int run_groups_describe(const Arguments& arguments, Console& console);
int run_groups_reset_offsets(const Arguments& arguments, Console& console);
int run_groups_delete(const Arguments& arguments, Console& console);
int run_produce(const Arguments& arguments, Console& console);
int run_consume(const Arguments& arguments, Console& console);
int run_cars_serve(const Arguments& arguments, Console& console);
int run_cars_import(const Arguments& arguments, Console& console);
int run_cars_alerts(const Arguments& arguments, Console& console);
int run_cars_routes(const Arguments& arguments, Console& console);
int run_cars_recompute(const Arguments& arguments, Console& console);
int run_completions(const Arguments& arguments, Console& console);
int run_man(const Arguments& arguments, Console& console);
int run_version(const Arguments& arguments, Console& console);

// Settings from file, environment and the flags of `arguments`.
Result<LoadedSettings> load_settings(const SettingsArguments& arguments);

// Complains and gives the exit code that fits.
int fail_command(Console& console, const Error& error);

}  // namespace adbrook::app
