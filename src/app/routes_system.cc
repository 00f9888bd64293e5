#include "app/routes_system.h"

#include <gnu/libc-version.h>
#include <sys/utsname.h>

#include <boost/version.hpp>

#include "base/text.h"
#include "bus/kafka_options.h"
#include "io/file_system.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using serde::JsonWriter;

std::int64_t topic_bytes(const log::Log& log) {
  std::int64_t bytes = 0;
  for (const log::TopicDescription& topic : log.topics())
    for (std::int32_t p = 0; p < topic.partition_count; ++p)
      if (const auto id = log.partition(topic.name, p)) bytes += log.size_on_disk(*id).count;
  return bytes;
}

void write_tasks(JsonWriter& json, const stream::TaskRunner& tasks) {
  json.key("tasks");
  json.begin_array();
  for (const stream::TaskStatus& task : tasks.status()) {
    json.begin_object();
    json.field("state", task.stopped            ? "stopped"
                        : !task.trouble.empty() ? "in trouble"
                        : !task.restored        ? "restoring"
                        : task.waits_for_memory ? "at its memory limit"
                                                : "running");
    json.field("trouble", std::string_view(task.trouble));
    json.end_object();
  }
  json.end_array();
}

// What somebody asks for who is to find out why two machines differ.
void write_versions(JsonWriter& json, const SystemSources& sources) {
  json.key("versions");
  json.begin_array();
  const auto add = [&json](std::string_view name, std::string_view version) {
    json.begin_object();
    json.field("name", name);
    json.field("version", version);
    json.end_object();
  };
  constexpr std::uint64_t kFormatSizeMax = 4096;
  const auto format =
      io::read_whole_file(sources.files, sources.settings.engine.data + "/FORMAT", kFormatSizeMax);
  std::string_view name = format ? as_text(*format) : "cannot be read";
  name = name.substr(0, name.find('\n'));
  add("format of the data", printable(name));
  utsname kernel{};
  if (uname(&kernel) == 0) add("Linux", kernel.release);
  add("C library", gnu_get_libc_version());
  add("compiler", __VERSION__);
  add("Boost", BOOST_LIB_VERSION);
  add("librdkafka", bus::kafka_client_version());
  json.end_array();
}

// No setting holds a secret: keys lie in files of the data directory and are never shown.
void write_settings(JsonWriter& json, const Settings& settings) {
  json.key("settings");
  json.begin_array();
  for (const SettingRow& row : all_setting_rows(settings)) {
    json.begin_object();
    json.field("key", std::string_view(row.key));
    json.field("value", std::string_view(row.value));
    json.field("default", std::string_view(row.default_value));
    json.field("about", std::string_view(row.about));
    json.end_object();
  }
  json.end_array();
}

http::Response system_response(const SystemSources& sources, Timestamp started) {
  http::Response response{.content_type = "application/json"};
  JsonWriter json(response.body);
  json.begin_object();
  json.field("version", ADBROOK_VERSION);
  json.field("started", std::string_view(format_time(started)));
  const auto reasons = waits_for(sources.health);
  json.field("ready", reasons.empty());
  json.key("waits_for");
  json.begin_array();
  for (const std::string& reason : reasons) json.string(reason);
  json.end_array();
  const std::string& directory = sources.settings.engine.data;
  json.field("data", std::string_view(directory));
  json.field("topic_bytes", topic_bytes(sources.health.log));
  json.key("free_bytes");
  if (const auto free = sources.files.free_bytes(directory))
    json.unsigned_integer(*free);
  else
    json.null();
  write_versions(json, sources);
  write_tasks(json, sources.health.tasks);
  write_settings(json, sources.settings);
  json.end_object();
  response.body += '\n';
  return response;
}

}  // namespace

void add_system_route(http::Router& router, SystemSources sources) {
  router.add(
      http::Method::get, "/v1/system",
      [sources, started = sources.clock.now()](const http::Request&, http::Responder responder) {
        responder.send(system_response(sources, started));
      });
}

}  // namespace adbrook::app
