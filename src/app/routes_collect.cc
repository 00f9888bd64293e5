#include "app/routes_collect.h"

#include <memory>
#include <utility>

#include "http/query.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

// A transparent picture of one pixel: GIF89a, 43 bytes.
constexpr std::string_view kPixel(
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00\x2c"
    "\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b",
    43);

// What browsers and senders call lines or a body of JSON; sendBeacon sends text/plain.
const http::RouteOptions& body_options() {
  static const http::RouteOptions kOptions{
      .content_types = {"application/json", "application/x-ndjson", "application/ndjson",
                        "application/jsonl", "application/x-jsonlines", "text/plain",
                        "application/x-www-form-urlencoded"},
      .cross_origin = http::CrossOrigin::listed_origins};
  return kOptions;
}

// For the dashboard and for tools, not for pages of others.
http::RouteOptions redrive_options() {
  return {.content_types = {"application/json", "application/x-ndjson", "application/ndjson",
                            "application/jsonl", "application/x-jsonlines"}};
}

http::Response error_response(const Error& error) {
  // More items than one request may have is a matter of its size.
  if (error.kind == ErrorKind::out_of_range)
    return problem_response(http::Problem{.status = 413, .title = {}, .detail = error.message});
  return http::problem_response(error);
}

void write_refused(serde::JsonWriter& json, const std::vector<RefusedItem>& refused) {
  json.key("rejected");
  json.begin_array();
  for (const RefusedItem& item : refused) {
    json.begin_object();
    json.field("index", static_cast<std::int64_t>(item.index));
    json.field("field", item.refusal.field);
    json.field("reason", to_string(item.refusal.reason));
    json.field("detail", item.refusal.detail);
    json.end_object();
  }
  json.end_array();
}

// 400 has the same list, so that a sender reads both answers alike.
http::Response collect_response(const CollectAnswer& answer) {
  http::Response response{.status = answer.nothing_readable ? 400 : 202};
  response.content_type = answer.nothing_readable ? "application/problem+json" : "application/json";
  serde::JsonWriter json(response.body);
  json.begin_object();
  if (answer.nothing_readable) {
    json.field("title", http::reason_phrase(response.status));
    json.field("status", std::int64_t{response.status});
    json.field("detail", "body: no event in it can be read: " +
                             ads::describe(answer.refused.front().refusal) +
                             "; send a JSON object, an array of them, or one per line");
  }
  json.field("accepted", static_cast<std::int64_t>(answer.accepted));
  write_refused(json, answer.refused);
  json.end_object();
  response.body += '\n';
  return response;
}

Collector::Done answer_to(http::Responder responder) {
  return [responder = std::move(responder)](Result<CollectAnswer> answer) mutable {
    responder.send(answer ? collect_response(*answer) : error_response(answer.error()));
  };
}

// A parameter that is 1 or 0; anything else is a mistake worth telling.
Result<bool> is_on(const http::Query& query, std::string_view name) {
  const std::string_view text = query.value_or(name, "0");
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return fail(ErrorKind::invalid, "query: " + std::string(name) + " must be 1 or 0");
}

// `?strict=1` refuses unknown fields, `?dry_run=1` keeps nothing.
Result<BodyRules> rules_of(const http::Request& request) {
  const auto query = http::Query::parse(request.query);
  if (!query) return pass(query.error());
  BodyRules rules;
  // The types of JSON lines all say so: x-ndjson, ndjson, jsonl, x-jsonlines.
  const std::string_view type = request.fields.find("Content-Type");
  if (type.find("ndjson") != std::string_view::npos || type.find("jsonl") != std::string_view::npos)
    rules.shape = BodyShape::lines;
  const auto strict = is_on(*query, "strict");
  if (!strict) return pass(strict.error());
  if (*strict) rules.unknown = UnknownFields::refuse;
  const auto dry_run = is_on(*query, "dry_run");
  if (!dry_run) return pass(dry_run.error());
  if (*dry_run) rules.purpose = BodyPurpose::check;
  return rules;
}

using CollectCall = void (Collector::*)(std::string_view, BodyRules, Collector::Done);

http::Handler collect_handler(Collector& collector, CollectCall collect) {
  return [&collector, collect](const http::Request& request, http::Responder responder) {
    const auto rules = rules_of(request);
    if (!rules) return responder.send(http::problem_response(rules.error()));
    (collector.*collect)(request.body, *rules, answer_to(std::move(responder)));
  };
}

http::Response pixel_response() {
  return {.content_type = "image/gif",
          .body = std::string(kPixel),
          .fields = {{"Cache-Control", "no-cache, no-store, must-revalidate"}}};
}

http::Handler pixel_handler(LinkCollector& links) {
  return [&links](const http::Request& request, http::Responder responder) {
    // Mail scanners and link checkers ask with HEAD; nobody saw anything.
    if (request.method == http::Method::head) return responder.send(pixel_response());
    links.pixel(request.query,
                [responder = std::move(responder)](Result<LinkAnswer> answer) mutable {
                  responder.send(answer ? pixel_response() : error_response(answer.error()));
                });
  };
}

http::Response click_response(const LinkAnswer& answer) {
  if (answer.target.empty())
    return problem_response(http::Problem{.status = 400,
                                          .title = "This link leads nowhere",
                                          .detail = ads::describe(*answer.refused),
                                          .field = answer.refused->field});
  return {.status = 302,
          .fields = {{"Location", answer.target}, {"Referrer-Policy", "no-referrer"}}};
}

http::Handler click_handler(LinkCollector& links) {
  return [&links](const http::Request& request, http::Responder responder) {
    if (request.method == http::Method::head)
      return responder.send(problem_response(
          http::Problem{.status = 405, .title = {}, .detail = "/v1/click: a click is a GET"}));
    links.click(request.query,
                [responder = std::move(responder)](Result<LinkAnswer> answer) mutable {
                  responder.send(answer ? click_response(*answer) : error_response(answer.error()));
                });
  };
}

}  // namespace

void add_collect_routes(http::Router& router, Collector& collector, LinkCollector& links) {
  using http::Method;
  router.add(Method::post, "/v1/impressions",
             collect_handler(collector, &Collector::collect_impressions), body_options());
  router.add(Method::post, "/v1/clicks", collect_handler(collector, &Collector::collect_clicks),
             body_options());
  router.add(Method::post, "/v1/dead-letters",
             collect_handler(collector, &Collector::collect_dead_letters), body_options());
  router.add(Method::post, "/v1/dead-letters/redrive",
             collect_handler(collector, &Collector::redrive), redrive_options());
  router.add(Method::get, "/v1/pixel.gif", pixel_handler(links));
  router.add(Method::get, "/v1/click", click_handler(links));
}

}  // namespace adbrook::app
