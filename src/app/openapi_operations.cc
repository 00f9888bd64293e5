#include "app/openapi_operations.h"

namespace adbrook::app {
namespace {

const std::vector<Parameter>& report_parameters() {
  static const std::vector<Parameter> kParameters = {
      {"by", "Dimensions, separated by commas: campaign_id, publisher_id, country, …"},
      {"from", "RFC 3339 or ms since 1970; the first bucket"},
      {"to", "RFC 3339 or ms since 1970; the first bucket that is out"},
      {"bucket", "1m, 1h, 1d or all"},
      {"where",
       "dimension=value; may be repeated, all must hold; \"…\" around a value with commas"},
      {"sort", "A column, most first; -column for least first"},
      {"limit", "At most so many rows"},
      {"format", "json or csv"},
      {"wait", "How long to wait for commits to reach the log's ends, at most 10m"}};
  return kParameters;
}

constexpr Parameter kWait{"wait", "How long to wait for commits to reach the log's ends"};
constexpr Parameter kStrict{"strict", "1 refuses unknown fields"};
constexpr Parameter kDryRun{"dry_run", "1 checks and keeps nothing"};

std::vector<Operation> events_in() {
  return {{"/v1/impressions",
           "post",
           "Impressions: one object, an array, or one object per line",
           {kStrict, kDryRun},
           "Impression",
           "application/json",
           "202"},
          {"/v1/clicks",
           "post",
           "Clicks: one object, an array, or one object per line",
           {kStrict, kDryRun},
           "Click",
           "application/json",
           "202"},
          {"/v1/dead-letters",
           "post",
           "Lines that an importer could not read",
           {},
           "DeadLetter",
           "application/json",
           "202"},
          {"/v1/dead-letters/redrive",
           "post",
           "Dead letters sent again as events; each is marked in the same step",
           {kStrict, kDryRun},
           "Redrive",
           "application/json",
           "202"},
          {"/v1/pixel.gif",
           "get",
           "One impression in the query string; HEAD is not counted",
           {{"campaignId", "The campaign", true}, {"pubId", "The publisher", true}},
           "",
           "image/gif"},
          {"/v1/click",
           "get",
           "Records a click, then leads on to its target",
           {{"to", "Where it leads", true},
            {"sig", "Made by adbrook sign-url", true},
            {"campaignId", "The campaign", true},
            {"pubId", "The publisher", true}},
           "",
           "",
           "302"}};
}

std::vector<Operation> questions() {
  return {{"/v1/reports/click-through", "get", "A click-through report", report_parameters(), "",
           "application/json"},
          {"/v1/cells",
           "get",
           "The cells of a view, one JSON array of values per line",
           {{"view", "click-through, creatives, places or devices"},
            {"from", "The first time"},
            {"to", "The first time that is out"}},
           "",
           "application/x-ndjson"},
          {"/v1/audit", "get", "The conservation check", {kWait}, "", "application/json"},
          {"/v1/outcomes",
           "get",
           "How events ended, by topic, outcome and reason",
           {kWait},
           "",
           "application/json"},
          {"/v1/outcomes/samples",
           "get",
           "The newest events that ended in one way",
           {{"topic", "impressions or clicks", true},
            {"outcome", "Any outcome but counted", true},
            {"reason", "Only this reason; empty for none"},
            {"limit", "At most so many"}},
           "",
           "application/json"},
          {"/v1/live",
           "get",
           "Server-sent events: the live numbers, several times a second; docs/live.md",
           {},
           "",
           "text/event-stream"},
          {"/v1/topics",
           "get",
           "Topics with the ends and sizes of their partitions",
           {},
           "",
           "application/json"},
          {"/v1/topics/{topic}/records",
           "get",
           "Committed records of one partition, decoded and raw",
           {{"partition", "Its number"},
            {"from", "newest, beginning, an offset, or @TIME"},
            {"limit", "At most so many"}},
           "",
           "application/json"},
          {"/v1/stores",
           "get",
           "The stores of the streams that can be read, with their rows by partition",
           {},
           "",
           "application/json"},
          {"/v1/stores/{store}",
           "get",
           "Rows of a store as of the last commits, with those and the watermarks they reflect",
           {{"key", "Only this key; ids are told one by one"},
            {"from", "Of windows: the first start"},
            {"to", "Of windows: the last start"},
            {"limit", "At most so many"}},
           "",
           "application/json"},
          {"/v1/groups",
           "get",
           "Consumer groups with members, assignment and lag",
           {},
           "",
           "application/json"}};
}

std::vector<Operation> lookups() {
  return {{"/v1/events",
           "get",
           "The events behind one report cell",
           {{"cell", "VIEW;TIME;dimension=value;…, as the life of an event prints it", true},
            {"limit", "At most so many of each kind"}},
           "",
           "application/json"},
          {"/v1/events/{uuid}", "get", "The whole life of one event", {}, "", "application/json"},
          {"/v1/dead-letters",
           "get",
           "Dead letters, grouped by reason",
           {{"reason", "Only this reason"},
            {"order", "newest or oldest"},
            {"skip", "Leave out so many"},
            {"after", "Those behind this place, which the page before gave as `next`"},
            {"limit", "At most so many"},
            {"show", "true gives their bytes too"}},
           "",
           "application/json"},
          {"/v1/dead-letters/{uuid}",
           "get",
           "One dead letter with its bytes",
           {},
           "",
           "application/json"}};
}

std::vector<Operation> machines() {
  return {{"/metrics", "get", "Prometheus text", {}, "", "text/plain"},
          {"/livez", "get", "Whether the process lives", {}, "", "text/plain"},
          {"/readyz",
           "get",
           "Whether the engine is ready, and what it waits for",
           {},
           "",
           "application/json"},
          {"/v1/system",
           "get",
           "Version, health, disk and the settings in force",
           {},
           "",
           "application/json"},
          {"/openapi.json", "get", "This document", {}, "", "application/json"},
          {"/", "get", "The dashboard", {}, "", "text/html"},
          {"/assets/{name}",
           "get",
           "A file of the dashboard; its name changes with its bytes",
           {},
           "",
           ""}};
}

}  // namespace

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const auto& group : {events_in(), questions(), lookups(), machines()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace adbrook::app
