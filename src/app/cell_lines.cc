#include "app/cell_lines.h"

#include <algorithm>
#include <boost/json.hpp>

#include "ads/views.h"
#include "base/text.h"

namespace adbrook::app {
namespace {

using boost::json::value;

bool is_whole(const value& number) { return number.is_int64() || number.is_uint64(); }

std::uint64_t number_of(const value& number) {
  return number.is_uint64() ? number.get_uint64() : static_cast<std::uint64_t>(number.get_int64());
}

const boost::json::array* list_of(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member ? member->if_array() : nullptr;
}

// The head must name our measures in our order, or the numbers would be compared crosswise.
bool is_head(const boost::json::object& head) {
  const auto* measures = list_of(head, "measures");
  return measures != nullptr &&
         std::equal(measures->begin(), measures->end(), ads::kMeasures.begin(),
                    ads::kMeasures.end(), [](const value& name, const auto& measure) {
                      return name.is_string() &&
                             std::string_view(name.get_string()) == measure.name;
                    });
}

bool add_cell(const boost::json::object& cell, std::size_t view_index, ads::Truth& truth) {
  const auto* bucket = cell.if_contains("bucket");
  const auto* width = cell.if_contains("bucket_ms");
  const auto *key = list_of(cell, "key"), *values = list_of(cell, "values");
  if (!bucket || !bucket->is_string() || !width || !is_whole(*width) || !key || !values ||
      key->size() != ads::kViews[view_index].part_count || values->size() != ads::kMeasureCount)
    return false;
  const auto begin = parse_time(std::string_view(bucket->get_string()));
  if (!begin) return false;
  ads::TruthKey place{.bucket_ms = begin->ms,
                      .width_ms = static_cast<std::uint32_t>(number_of(*width)),
                      .view = static_cast<std::uint32_t>(view_index),
                      .parts = {}};
  for (std::size_t i = 0; i < key->size(); ++i) {
    if (!(*key)[i].is_string()) return false;
    place.parts[i] = truth.number_of(std::string_view((*key)[i].get_string()));
  }
  if (!std::all_of(values->begin(), values->end(), is_whole)) return false;
  ads::MeasureValues& into = truth.cells().at(place);
  for (std::size_t i = 0; i < values->size(); ++i) into[i] = number_of((*values)[i]);
  return true;
}

}  // namespace

Result<void> add_cell_lines(std::string_view body, std::size_t view_index, ads::Truth& truth) {
  for (bool head = true; !body.empty(); head = false) {
    const auto end = std::min(body.find('\n'), body.size());
    const auto line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    boost::system::error_code broken;
    const value parsed = boost::json::parse(line, broken);
    const auto* object = broken ? nullptr : parsed.if_object();
    if (object && (head ? is_head(*object) : add_cell(*object, view_index, truth))) continue;
    return fail(ErrorKind::io_failed, "the engine sent a line that is no cell: " + printable(line) +
                                          "; are both of one version?");
  }
  return {};
}

}  // namespace adbrook::app
