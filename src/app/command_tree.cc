#include "app/command_tree.h"

#include <memory>

#include "app/command_builder.h"
#include "app/command_text.h"
#include "base/text.h"

namespace adbrook::app {

void add_settings_flags(CommandBuilder& to, SettingsArguments& a, const std::string& data,
                        const std::string& about_kafka) {
  to.option("--data", a.data, "DIR", "Data directory (default " + data + ")", ValueKind::directory)
      .option("--config", a.config, "FILE", "Settings file in TOML", ValueKind::file)
      .option("--http", a.http, "HOST:PORT",
              "Address of the HTTP server (default 127.0.0.1:8080); port 0 takes any free one")
      .option("--kafka", a.kafka, "HOST:PORT", about_kafka)
      .option("--set", a.set, "KEY=VALUE", "Any setting of docs/SETTINGS.md, for this run")
      .toggle("--insecure-public", a.insecure_public,
              "Listen on an address that others can reach, without TLS and credentials");
}

namespace {

void add_server(CommandBuilder& to, Arguments& a) {
  to.option("--server", a.server, "URL", "The running engine");
}

void add_table_format(CommandBuilder& to, Arguments& a) {
  to.choice("--format", a.format, {"table", "csv", "json"}, "How the answer is printed")
      .toggle("--json", a.json, "The same as --format json");
}

void add_sending(CommandBuilder& to, SendArguments& a) {
  to.option("--to,--server", a.to, "URL", "Where the events go; - prints them as NDJSON")
      .option("--batch", a.batch, "N", "Events in one request, at most 10000")
      .option("--retry-for", a.retry_for, "TIME", "Give up after this long without progress")
      .toggle("--no-wait", a.no_wait, "Return when all is sent, not when all is committed");
}

void add_trouble(CommandBuilder& to, GenerateArguments& a) {
  to.option("--seed", a.seed, "S", "Same seed, same events, byte for byte")
      .option("--campaigns", a.campaigns, "N", "How many campaigns")
      .option("--publishers", a.publishers, "N", "How many publishers")
      .option("--ctr", a.ctr, "SHARE", "Clicks per impression")
      .option("--duplicates", a.duplicates, "SHARE", "Events sent twice")
      .option("--late", a.late, "SHARE", "Events beyond the horizon or a closed window")
      .option("--orphans", a.orphans, "SHARE", "Clicks whose impression never comes")
      .option("--out-of-order", a.out_of_order, "TIME", "Largest disorder in event time")
      .option("--malformed", a.malformed, "SHARE", "Events that break the schema")
      .option("--bots", a.bots, "SHARE", "Events of bots");
}

void add_serving(CommandBuilder& root, Arguments& a) {
  auto serve = root.command("serve", "Run the whole engine");
  serve.example("adbrook serve", "on 127.0.0.1:8080, data in ./adbrook-data")
      .example("adbrook serve --data /srv/adbrook --http 127.0.0.1:0", "on any free port")
      .example("adbrook serve --config adbrook.toml", "with a settings file");
  add_settings_flags(serve, a.settings);
  auto demo = root.command("demo", "Run the engine with generated traffic that looks alive");
  demo.example("adbrook demo", "200 events a second until Ctrl-C")
      .example("adbrook demo --rate 1000", "more of them");
  add_settings_flags(demo, a.settings);
  demo.option("--rate", a.generate.rate, "N", "Events per second (default 200)");
}

void add_sources(CommandBuilder& root, Arguments& a) {
  auto generate = root.command("generate", "Send synthetic events whose truth is known");
  generate
      .example("adbrook generate --events 100000 --truth truth.json", "and keep what must come out")
      .example("adbrook generate --rate 500 --duration 1min", "live traffic")
      .example("adbrook generate --events 10 --to -", "print NDJSON instead of sending");
  generate.option("--events", a.generate.events, "N", "How many impressions and clicks")
      .option("--rate", a.generate.rate, "N", "Live events per second")
      .option("--duration", a.generate.duration, "TIME", "How long the live traffic goes on")
      .option("--start", a.generate.start, "TIME", "Event time of the first event")
      .option("--span", a.generate.span, "TIME", "Event time from the first to the last")
      .option("--truth", a.generate.truth, "FILE", "Write the expected counts here",
              ValueKind::file);
  add_trouble(generate, a.generate);
  add_sending(generate, a.send);

  auto import = root.command("import", "Send real events from CSV, NDJSON or Avro files");
  import.example("adbrook import --as usagov clicks/*.gz", "33 files, merged by event time")
      .example("adbrook import --mapping shop.toml events.csv", "by a mapping of your own")
      .example("adbrook import --as clicks events.ndjson", "events as the collector takes them");
  import.option("FILE", a.import.files, "FILE", "Files; gzip is understood", ValueKind::file)
      .required()
      .option("--as", a.import.as, "NAME",
              "A named mapping: usagov, obd, impressions or clicks (guessed from the name)")
      .option("--mapping", a.import.mapping, "FILE", "A mapping file", ValueKind::file)
      .option("--speed", a.import.speed, "1x|60x|max", "How fast event time passes")
      .toggle("--retime", a.import.retime, "Move all times so that the last event is now");
  add_sending(import, a.send);
}

void add_questions(CommandBuilder& root, Arguments& a) {
  auto report = root.command("report", "Reports over the live views").needs_subcommand();
  auto click_through =
      report.command("click-through", "Impressions, clicks, click-through rate and spend");
  click_through.example("adbrook report click-through --by campaign_id", "one row per campaign")
      .example("adbrook report click-through --by country --bucket all --sort clicks --limit 20",
               "the 20 countries with the most clicks")
      .example("adbrook report click-through --by campaign_id --where country=FR --format csv",
               "for a spreadsheet");
  click_through.option("--by", a.report.by, "NAMES", "Dimensions, like campaign_id,country")
      .option("--from", a.report.from, "TIME", "First bucket")
      .option("--to", a.report.to, "TIME", "First bucket that is out")
      .option("--bucket", a.report.bucket, "1m|1h|1d|all", "Size of a row in time")
      .option("--where", a.report.where, "NAME=VALUE", "Only these; may be given several times")
      .option("--sort", a.report.sort, "COLUMN", "Most first; -COLUMN least first")
      .option("--limit", a.report.limit, "N", "At most so many rows")
      .option("--wait", a.wait, "TIME", "Wait this long for everything sent before to be counted");
  add_table_format(click_through, a);
  add_server(click_through, a);

  auto event = root.command("event", "The whole life of one event");
  event.example("adbrook event 4f0d9a36-1f0e-4d0f-9a2f-000000000001", "by its uuid");
  event.option("ID", a.event_id, "ID", "The event's uuid").required();
  event.toggle("--json", a.json, "As JSON");
  add_server(event, a);

  auto audit = root.command("audit", "The conservation check");
  audit.example("adbrook audit", "exit 1 if a sum is broken")
      .example("adbrook audit --against-truth truth.json", "and every cell against the truth");
  audit
      .option("--against-truth", a.against_truth, "FILE", "What generate --truth wrote",
              ValueKind::file)
      .option("--wait", a.wait, "TIME", "Wait this long for everything sent before to be counted");
  audit.toggle("--json", a.json, "As JSON");
  add_server(audit, a);
}

void add_redrive(CommandBuilder& letters, Arguments& a) {
  auto redrive = letters.command("redrive", "Send dead letters again, as they were or corrected");
  redrive
      .example("adbrook dead-letters redrive --reason bad_country --dry-run",
               "what would be accepted, and why not; keeps nothing")
      .example("adbrook dead-letters redrive --reason wrong_type --set campaignId=7",
               "one field set in each that waits; the dead letters stay, with a mark")
      .example("adbrook dead-letters redrive --all", "whatever waits, as it was")
      .example(
          "adbrook dead-letters redrive 4f0d9a36-1f0e-4d0f-9a2f-000000000001 --with event.json",
          "one by its id, with the content of a file: JSON, or Avro with its header");
  redrive.option("ID", a.redrive.letters, "ID", "Dead letters by their ids, also marked ones")
      .option("--reason", a.reason, "REASON", "All of this reason that wait")
      .toggle("--all", a.redrive.all, "All that wait, but clicks with a bad signature")
      .toggle("--dry-run", a.redrive.dry_run, "Say what would happen and keep nothing")
      .option("--set", a.redrive.set, "FIELD=VALUE",
              "Set a field in each; FIELD= takes it away; may be given several times")
      .option("--with", a.redrive.with, "FILE", "Send the file's bytes for the one letter",
              ValueKind::file)
      .choice("--as", a.redrive.as, {"came", "impressions", "clicks"}, "What they are sent as")
      .toggle("--json", a.json, "As JSON");
  add_server(redrive, a);
}

void add_tools(CommandBuilder& root, Arguments& a) {
  auto sign = root.command("sign-url", "A signed click target");
  sign.example("adbrook sign-url --param campaignId=7 --param pubId=1 https://example.com/shoes",
               "a link that records a click and goes on to the shop");
  sign.option("URL", a.sign.target, "URL", "Where the click goes on to")
      .required()
      .option("--param", a.sign.parameters, "NAME=VALUE", "A field of the click")
      .option("--base", a.sign.base, "URL", "How browsers reach the engine")
      .option("--data", a.sign.data, "DIR", "The data directory whose key signs",
              ValueKind::directory);

  auto letters = root.command("dead-letters", "Events that could not be read").needs_subcommand();
  auto list = letters.command("list", "How many, grouped by reason");
  list.example("adbrook dead-letters list", "grouped by reason");
  add_table_format(list, a);
  add_server(list, a);
  auto show = letters.command("show", "The newest ones with their bytes");
  show.example("adbrook dead-letters show --reason bad_uuid --limit 5", "five of one reason");
  show.option("--reason", a.reason, "REASON", "Only this reason")
      .option("--limit", a.limit, "N", "At most so many");
  show.toggle("--json", a.json, "As JSON");
  add_server(show, a);
  add_redrive(letters, a);

  auto config = root.command("config", "Check, show or begin a settings file").needs_subcommand();
  auto check = config.command("check", "Say everything that serve would refuse");
  check.example("adbrook config check --config adbrook.toml", "exit 2 and every complaint");
  add_settings_flags(check, a.settings);
  auto shown = config.command("show", "The values in force and where each came from");
  shown.example("ADBROOK__HTTP__LISTEN=127.0.0.1:80 adbrook config show", "environment included");
  add_settings_flags(shown, a.settings);
  add_table_format(shown, a);
  config.command("init", "Print a settings file with every default")
      .example("adbrook config init > adbrook.toml", "to start from");
  config.command("markdown", "Print docs/SETTINGS.md").hidden();

  auto doctor = root.command("doctor", "Check ports, disk, limits, clock and memory");
  doctor
      .example("adbrook doctor --data /srv/adbrook",
               "before the first start; exit 1 if something is wrong")
      .example("adbrook doctor --kafka kafka.example:9092",
               "does what a Kafka client does first, and names the hop that fails");
  add_settings_flags(
      doctor, a.settings, "./adbrook-data",
      "Look at this running Kafka endpoint instead, hop by hop, as a client meets it");
  doctor.toggle("--json", a.json, "As JSON");

  root.command("completions", "Completions for a shell")
      .example("source <(adbrook completions bash)", "for this shell")
      .choice("SHELL", a.shell, {"bash", "zsh", "fish"}, "Which shell")
      .required();
  root.command("man", "The manual page").example("adbrook man | man -l -", "read it");
  root.command("version", "The version").example("adbrook version", "one line");
}

std::unique_ptr<CLI::App> build(Arguments& arguments, CommandDescription& description) {
  auto app = std::make_unique<CLI::App>("", "adbrook");
  description = {
      "adbrook", "A real-time engine for ad events: a click you can bill", {}, {}, {}, {}, false};
  app->set_help_flag("-h,--help", "Print help");
  CommandBuilder root(*app, description);
  root.example("adbrook serve", "run the engine on this machine")
      .example("adbrook generate --events 100000", "send it events")
      .example("adbrook report click-through --by campaign_id", "ask what happened");
  // References into the vector must stay valid while commands are added.
  description.commands.reserve(32);
  add_serving(root, arguments);
  add_sources(root, arguments);
  add_questions(root, arguments);
  add_kafka_commands(root, arguments);
  add_car_commands(root, arguments);
  add_tools(root, arguments);
  return app;
}

const CommandDescription& find_command(const CommandDescription& root,
                                       const std::vector<std::string>& path) {
  const CommandDescription* at = &root;
  for (const auto& word : path)
    for (const auto& child : at->commands)
      if (child.name == word) {
        at = &child;
        break;
      }
  return *at;
}

std::vector<std::string> chosen_path(const CLI::App& app) {
  std::vector<std::string> path;
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = chosen[0]->get_subcommands())
    path.push_back(chosen[0]->get_name());
  return path;
}

// " (did you mean 'x'?)" for the first word that no command or flag has.
std::string suggestion(const CommandDescription& at, const std::vector<std::string>& words,
                       std::size_t depth) {
  std::vector<std::string_view> names = {"--help"};
  for (const auto& command : at.commands) names.push_back(command.name);
  for (const auto& option : at.options) {
    names.push_back(option.name);
    names.insert(names.end(), option.other_names.begin(), option.other_names.end());
  }
  for (std::size_t i = depth; i < words.size(); ++i) {
    const std::string_view word = std::string_view(words[i]).substr(0, words[i].find('='));
    const bool could_be_name = word.starts_with('-') || (i == depth && !at.commands.empty());
    if (could_be_name && std::find(names.begin(), names.end(), word) == names.end())
      if (auto text = did_you_mean(word, names); !text.empty()) return text;
  }
  return "";
}

}  // namespace

int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
    case ErrorKind::unsupported: return kExitUsage;
    case ErrorKind::not_found:
    case ErrorKind::out_of_range: return kExitNo;
    default: return kExitEnvironment;
  }
}

CommandDescription describe_commands() {
  Arguments unused;
  CommandDescription description;
  build(unused, description);
  return description;
}

ParsedCommandLine parse_command_line(const std::vector<std::string>& words) {
  ParsedCommandLine parsed;
  CommandDescription description;
  const auto app = build(parsed.arguments, description);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  // CLI11 tells everything by exceptions; they end here.
  try {
    app->parse(reversed);
  } catch (const CLI::CallForHelp&) {
    parsed.out = help_text(description, chosen_path(*app));
    return parsed;
  } catch (const CLI::ParseError& error) {
    const auto path = chosen_path(*app);
    std::string command = "adbrook";
    for (const auto& word : path) command += " " + word;
    parsed.exit_code = kExitUsage;
    parsed.error = command + ": " + error.what() +
                   suggestion(find_command(description, path), words, path.size()) + "; see `" +
                   command + " --help`";
    return parsed;
  }
  parsed.arguments.command = chosen_path(*app);
  if (parsed.arguments.json) parsed.arguments.format = "json";
  if (parsed.arguments.command.empty())
    parsed.out = help_text(description, {});
  else
    parsed.run = true;
  return parsed;
}

}  // namespace adbrook::app
