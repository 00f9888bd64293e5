// The topology of docs/streams.md in an engine of its own: a log on the disk, Kafka's protocol, and
// the stores over HTTP, until Ctrl-C.
#include <cstdio>

#include "app/engine.h"
#include "app/interrupt.h"
#include "examples/flows.h"
#include "stream/query/store_routes.h"

using namespace adbrook;

namespace {

int give_up(const Error& error) {
  std::fprintf(stderr, "shop_app: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main() {
  app::Settings settings;
  settings.engine.data = "./shop-data";
  settings.http.listen = "127.0.0.1:8082";
  settings.kafka.listen = {"127.0.0.1:9094"};

  io::ThreadExecutor signals(1);
  app::Interrupt interrupt(signals);  // Ctrl-C stops in order
  auto engine = app::Engine::open(
      settings, {.group = "shop", .define = shop::spend},
      [](std::string_view note) { std::fprintf(stderr, "%s\n", std::string(note).c_str()); });
  if (!engine) return give_up(engine.error());

  http::Router router((*engine)->metrics());
  stream::add_store_routes(router, (*engine)->tasks());
  if (auto listening = (*engine)->listen(std::move(router)); !listening)
    return give_up(listening.error());
  std::printf("the shop is open: %s\n", (*engine)->url().c_str());
  std::fflush(stdout);

  interrupt.wait();
  if (auto stopped = (*engine)->stop(); !stopped) return give_up(stopped.error());
}
