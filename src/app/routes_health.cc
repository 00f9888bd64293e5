#include "app/routes_health.h"

#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

http::Response readiness(const HealthSources& sources) {
  const auto reasons = waits_for(sources);
  http::Response response{.status = reasons.empty() ? 200 : 503,
                          .content_type = "application/json"};
  serde::JsonWriter json(response.body);
  json.begin_object();
  json.field("ready", reasons.empty());
  json.key("waits_for");
  json.begin_array();
  for (const std::string& reason : reasons) json.string(reason);
  json.end_array();
  json.end_object();
  response.body += '\n';
  return response;
}

}  // namespace

std::vector<std::string> waits_for(const HealthSources& sources) {
  std::vector<std::string> reasons;
  if (const std::string trouble = sources.log.trouble(); !trouble.empty())
    reasons.push_back("the log takes no more appends: " + trouble);
  if (sources.log.disk_full())
    reasons.emplace_back("the disk is full: free space, nothing acknowledged is lost");
  const auto tasks = sources.tasks.status();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string task = "task " + std::to_string(i);
    if (!tasks[i].trouble.empty())
      reasons.push_back(task + " has stopped: " + tasks[i].trouble);
    else if (!tasks[i].restored)
      reasons.push_back(task + " is restoring its state");
    else if (tasks[i].waits_for_memory)
      reasons.push_back(task +
                        " is at its memory limit and takes no input; raise "
                        "streams.task.memory.max or shorten the horizon");
  }
  return reasons;
}

void add_health_routes(http::Router& router, HealthSources sources) {
  using http::Method;
  router.add(Method::get, "/metrics", [sources](const http::Request&, http::Responder responder) {
    responder.send({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                    .body = sources.metrics.text()});
  });
  // No dependency is looked at: a restart heals none of them.
  router.add(Method::get, "/livez", [](const http::Request&, http::Responder responder) {
    responder.send({.content_type = "text/plain", .body = "ok\n"});
  });
  router.add(Method::get, "/readyz", [sources](const http::Request&, http::Responder responder) {
    responder.send(readiness(sources));
  });
}

}  // namespace adbrook::app
