#include "app/routes_topics.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "app/group_list.h"
#include "app/query_parameters.h"
#include "app/topic_peek.h"
#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using serde::JsonWriter;

void write_partition(JsonWriter& json, const log::Log& log, std::string_view topic,
                     std::int32_t number) {
  const auto id = log.partition(topic, number);
  if (!id) return;  // deleted since the topics were listed
  const log::Ends ends = log.ends(*id);
  json.begin_object();
  json.field("partition", std::int64_t{number});
  json.field("start", ends.start.value);
  json.field("end", ends.visible.value);
  json.field("bytes", log.size_on_disk(*id).count);
  json.end_object();
}

http::Response topics_response(const log::Log& log) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("topics");
  json.begin_array();
  for (const log::TopicDescription& topic : log.topics()) {
    json.begin_object();
    json.field("topic", topic.name);
    json.field("retention_ms", std::int64_t{topic.config.retention.count()});
    json.field("retention_bytes", topic.config.retention_bytes.count);
    json.key("partitions");
    json.begin_array();
    for (std::int32_t p = 0; p < topic.partition_count; ++p)
      write_partition(json, log, topic.name, p);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return http::json_response(std::move(body));
}

// Where a reader wants to begin: newest, beginning, an offset, or @TIME.
Result<Offset> begin_of(const TopicSources& sources, log::PartitionId partition,
                        std::string_view from, std::int64_t limit) {
  const log::Ends ends = sources.log.ends(partition);
  if (from == "newest") return std::max(ends.start, Offset{ends.stable.value - limit});
  if (from == "beginning") return ends.start;
  if (from.starts_with('@')) {
    const auto time = parse_time(from.substr(1));
    if (!time) return pass(time.error(), "from");
    return sources.log.offset_for_time(partition, *time);
  }
  std::int64_t offset = 0;
  const auto [stop, error] = std::from_chars(from.data(), from.data() + from.size(), offset);
  if (error != std::errc() || stop != from.data() + from.size() || offset < 0)
    return fail(ErrorKind::invalid,
                "from: '" + printable(from) + "' is not newest, beginning, an offset, or @TIME");
  return std::clamp(Offset{offset}, ends.start, ends.stable);
}

Result<http::Response> peek(const TopicSources& sources, const Request& request) {
  constexpr std::array<std::string_view, 3> kParameters = {"partition", "from", "limit"};
  const auto query = read_query(request, kParameters);
  if (!query) return pass(query.error());
  const auto number = count_of(*query, "partition", 0, 1'000'000);
  if (!number) return pass(number.error());
  const auto limit = count_of(*query, "limit", 20, kPeekedRecordsMax);
  if (!limit) return pass(limit.error());
  const std::string topic(request.parameter("topic"));
  const auto partition = sources.log.partition(topic, static_cast<std::int32_t>(*number));
  if (!partition) return pass(partition.error());
  const auto begin = begin_of(sources, *partition, query->value_or("from", "newest"), *limit);
  if (!begin) return pass(begin.error());
  TopicPeek peek(sources.bus, {topic, static_cast<std::int32_t>(*number)});
  if (auto read = peek.read(*begin, static_cast<std::size_t>(*limit)); !read)
    return pass(read.error(), "topic");
  return http::json_response(std::move(peek).to_json(sources.log.ends(*partition)));
}

void answer_groups(const TopicSources& sources, Responder responder) {
  responder.send(http::json_response(
      to_json(list_groups(sources.log, sources.bus, sources.groups), sources.clock.now())));
}

}  // namespace

void add_topic_routes(http::Router& router, TopicSources sources) {
  router.add(Method::get, "/v1/topics", [sources](const Request&, Responder responder) {
    responder.send(topics_response(sources.log));
  });
  router.add(Method::get, "/v1/topics/{topic}/records",
             [sources](const Request& request, Responder responder) {
               auto answer = peek(sources, request);
               responder.send(answer ? std::move(*answer) : http::problem_response(answer.error()));
             });
  router.add(Method::get, "/v1/groups", [sources](const Request&, Responder responder) {
    answer_groups(sources, std::move(responder));
  });
}

}  // namespace adbrook::app
