// The part of the command tree that is about connected cars.
#include "app/command_builder.h"

namespace adbrook::app {
namespace {

void add_answer(CommandBuilder& to, Arguments& a) {
  to.choice("--format", a.format, {"table", "csv", "json"}, "How the answer is printed")
      .toggle("--json", a.json, "The same as --format json")
      .option("--server", a.server, "URL", "The running engine of the cars");
}

}  // namespace

void add_car_commands(CommandBuilder& root, Arguments& a) {
  auto cars = root.command("cars", "Connected cars: a second application of the stream library");
  cars.example("adbrook cars serve", "an engine for the readings of cars")
      .example("adbrook cars import drives/*.csv.gz", "send it real drives")
      .example("adbrook cars routes", "what each car used on each route")
      .needs_subcommand();

  auto serve = cars.command("serve", "Run the engine of the cars");
  serve.example("adbrook cars serve", "readings by Kafka's protocol on 127.0.0.1:9092")
      .example("adbrook cars serve --data /srv/cars --http 127.0.0.1:0", "on any free port");
  add_settings_flags(serve, a.settings, "./adbrook-cars");

  auto import = cars.command("import", "Send drives from enviroCar, OpenXC or carOBD files");
  import.example("adbrook cars import track.json.gz", "one enviroCar track")
      .example("adbrook cars import --car etios drive*.csv.gz", "drives of one car");
  import.option("FILE", a.cars.files, "FILE", "Files; gzip is understood", ValueKind::file)
      .required()
      .option("--car", a.cars.car, "NAME", "The car, for files that name none");
  add_cluster_flags(import, a.kafka);

  auto alerts = cars.command("alerts", "Which car needs attention now");
  alerts.example("adbrook cars alerts", "what is raised and not cleared");
  add_answer(alerts, a);
  auto routes = cars.command("routes", "Distance, fuel and litres per 100 km by car and route");
  routes.example("adbrook cars routes --format csv", "for a spreadsheet");
  add_answer(routes, a);
  auto recompute = cars.command("recompute", "Count all kept readings again and compare");
  recompute.example("adbrook cars recompute", "exit 1 and the differences if a total is another");
  add_answer(recompute, a);
}

}  // namespace adbrook::app
