#include "app/routes_query.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "ads/outcome_samples.h"
#include "app/query_parameters.h"
#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

using http::Method;
using http::Request;
using http::Responder;

// Gives `make` the answer, or tells the client why there is none.
template <class T, class Make>
ads::Answer<T> answer_with(Responder responder, Make make) {
  return [responder = std::move(responder), make = std::move(make)](Result<T> result) mutable {
    responder.send(result ? make(std::move(*result)) : http::problem_response(result.error()));
  };
}

constexpr std::array<std::string_view, 9> kReportParameters = {
    "by", "from", "to", "bucket", "where", "sort", "limit", "wait", "format"};

struct ReportQuestion {
  ads::ReportQuery query;
  Millis wait;
  bool csv = false;
};

Result<ReportQuestion> report_question(const Request& request) {
  const auto query = read_query(request, kReportParameters);
  if (!query) return pass(query.error());
  const auto text = [&](std::string_view name) { return std::string(query->value_or(name, "")); };
  ads::ReportRequest asked{.by = text("by"),
                           .from = text("from"),
                           .to = text("to"),
                           .bucket = text("bucket"),
                           .sort = text("sort"),
                           .limit = text("limit")};
  for (const auto& parameter : query->parameters())
    if (parameter.name == "where") asked.where.push_back(parameter.value);
  auto checked = ads::parse_report_query(asked);
  if (!checked) return pass(std::move(checked.error()));
  const auto wait = wait_of(*query, kDefaultWait);
  if (!wait) return pass(wait.error());
  const std::string_view format = query->value_or("format", "json");
  if (format != "json" && format != "csv")
    return fail(ErrorKind::invalid, "format: '" + printable(format) + "' is not json or csv");
  return ReportQuestion{std::move(*checked), *wait, format == "csv"};
}

void answer_report(ads::ClickService& clicks, const Request& request, Responder responder) {
  auto question = report_question(request);
  if (!question) return responder.send(http::problem_response(question.error()));
  clicks.report(std::move(question->query), question->wait,
                answer_with<ads::Report>(
                    std::move(responder), [csv = question->csv](const ads::Report& report) {
                      if (!csv) return http::json_response(to_json(report));
                      return http::Response{.content_type = "text/csv; charset=utf-8",
                                            .body = to_csv(report)};
                    }));
}

// Asks for an audit and makes the answer from it.
template <class Make>
void answer_audit(ads::ClickService& clicks, const Request& request, Responder responder,
                  Make make) {
  constexpr std::array<std::string_view, 1> kParameters = {"wait"};
  const auto query = read_query(request, kParameters);
  if (!query) return responder.send(http::problem_response(query.error()));
  const auto wait = wait_of(*query, kDefaultWait);
  if (!wait) return responder.send(http::problem_response(wait.error(), "wait"));
  clicks.audit(*wait, answer_with<ads::Audit>(std::move(responder), std::move(make)));
}

http::Response outcomes_response(const ads::Audit& audit) {
  std::string body;
  serde::JsonWriter json(body);
  json.begin_object();
  ads::write_time(json, "as_of", audit.freshness.as_of);
  json.field("caught_up", audit.caught_up);
  json.key("outcomes");
  json.begin_array();
  for (const ads::OutcomeTotal& total : audit.outcomes) {
    json.begin_object();
    json.field("topic", total.topic);
    json.field("outcome", to_string(total.outcome));
    json.field("reason", total.reason);
    json.field("count", static_cast<std::int64_t>(total.count));
    json.end_object();
  }
  json.end_array();
  json.key("watermarks");
  json.begin_array();
  for (const ads::AuditRow& row : audit.rows) {
    json.begin_object();
    json.field("topic", std::string_view(row.topic));
    json.field("partition", std::int64_t{row.partition});
    ads::write_time(json, "watermark", row.watermark);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return http::json_response(std::move(body));
}

void answer_samples(const QuerySources& sources, const Request& request, Responder responder) {
  constexpr std::array<std::string_view, 4> kParameters = {"topic", "outcome", "reason", "limit"};
  const auto query = read_query(request, kParameters);
  if (!query) return responder.send(http::problem_response(query.error()));
  const auto limit = count_of(*query, "limit", 20, ads::kOutcomeSamplesMax);
  if (!limit) return responder.send(http::problem_response(limit.error(), "limit"));
  ads::OutcomeSampleQuery asked{.topic = std::string(query->value_or("topic", "")),
                                .outcome = std::string(query->value_or("outcome", "")),
                                .limit = static_cast<std::size_t>(*limit)};
  if (const std::string* reason = query->find("reason")) asked.reason = *reason;
  ads::outcome_samples(
      sources.search, sources.bus, std::move(asked),
      answer_with<std::vector<ads::OutcomeSample>>(std::move(responder), [](const auto& samples) {
        return http::json_response(to_json(samples));
      }));
}

// The cells of one view as JSON lines, made piece by piece: a view may have a million of them.
class CellLines {
 public:
  static constexpr std::size_t kPieceSize = 256 << 10;

  explicit CellLines(std::vector<ads::CellRow> rows) : rows_(std::move(rows)) {}

  static std::string head(const ads::ViewDeclaration& view) {
    std::string out;
    serde::JsonWriter json(out);
    json.begin_object();
    json.field("view", view.name);
    json.key("key");
    json.begin_array();
    for (const ads::Dimension part : view.key()) json.string(to_string(part));
    json.end_array();
    json.key("measures");
    json.begin_array();
    for (const auto& measure : ads::kMeasures) json.string(measure.name);
    json.end_array();
    json.end_object();
    return out + "\n";
  }

  Result<std::string> operator()() {
    std::string piece;
    while (next_ < rows_.size() && piece.size() < kPieceSize) append(piece, rows_[next_++]);
    return piece;
  }

 private:
  static void append(std::string& out, const ads::CellRow& row) {
    serde::JsonWriter json(out);
    json.begin_object();
    json.field("bucket", format_time(row.bucket));
    json.field("bucket_ms", std::int64_t{row.bucket_size.count()});
    json.key("key");
    json.begin_array();
    for (const std::string& part : row.key) json.string(part);
    json.end_array();
    json.key("values");
    json.begin_array();
    for (const std::uint64_t value : row.values) json.unsigned_integer(value);
    json.end_array();
    json.end_object();
    out += '\n';
  }

  std::vector<ads::CellRow> rows_;
  std::size_t next_ = 0;
};

Result<std::size_t> view_index(std::string_view name) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < ads::kViews.size(); ++i) {
    if (ads::kViews[i].name == name) return i;
    names.push_back(ads::kViews[i].name);
  }
  std::string known;
  for (const std::string_view one : names) known += (known.empty() ? "" : ", ") + std::string(one);
  return fail(ErrorKind::invalid, "view: there is no '" + printable(name) + "'" +
                                      did_you_mean(name, names) + "; there are " + known);
}

Result<ads::CellsRequest> cells_request(const Request& request) {
  constexpr std::array<std::string_view, 3> kParameters = {"view", "from", "to"};
  const auto query = read_query(request, kParameters);
  if (!query) return pass(query.error());
  ads::CellsRequest asked;
  const auto index = view_index(query->value_or("view", ads::kViews[0].name));
  if (!index) return pass(index.error());
  asked.view_index = *index;
  for (const auto& [name, to] : {std::pair("from", &asked.from), std::pair("to", &asked.to)}) {
    const std::string* text = query->find(name);
    if (!text) continue;
    const auto time = parse_time(*text);
    if (!time) return pass(time.error(), name);
    *to = *time;
  }
  return asked;
}

void answer_cells(ads::ClickService& clicks, const Request& request, Responder responder) {
  const auto asked = cells_request(request);
  if (!asked) return responder.send(http::problem_response(asked.error()));
  clicks.cells(*asked, answer_with<std::vector<ads::CellRow>>(
                           std::move(responder), [view = asked->view_index](auto rows) {
                             http::Response response{.content_type = "application/x-ndjson",
                                                     .body = CellLines::head(ads::kViews[view])};
                             response.pieces = CellLines(std::move(rows));
                             return response;
                           }));
}

}  // namespace

void add_query_routes(http::Router& router, QuerySources sources) {
  ads::ClickService& clicks = sources.clicks;
  router.add(Method::get, "/v1/reports/click-through",
             [&clicks](const Request& q, Responder r) { answer_report(clicks, q, std::move(r)); });
  router.add(Method::get, "/v1/cells",
             [&clicks](const Request& q, Responder r) { answer_cells(clicks, q, std::move(r)); });
  router.add(Method::get, "/v1/audit", [&clicks](const Request& q, Responder r) {
    answer_audit(clicks, q, std::move(r),
                 [](const ads::Audit& audit) { return http::json_response(to_json(audit)); });
  });
  router.add(Method::get, "/v1/outcomes", [&clicks](const Request& q, Responder r) {
    answer_audit(clicks, q, std::move(r), outcomes_response);
  });
  router.add(Method::get, "/v1/outcomes/samples", [sources](const Request& q, Responder r) {
    answer_samples(sources, q, std::move(r));
  });
}

}  // namespace adbrook::app
