#include "app/late_notice.h"

#include <boost/json.hpp>
#include <optional>

#include "app/json_view.h"
#include "base/text.h"
#include "base/time.h"

namespace adbrook::app {
namespace {

const boost::json::array& list_of(const boost::json::value& answer, std::string_view name) {
  static const boost::json::array kNone;
  const auto* object = answer.if_object();
  const auto* list = object ? object->if_contains(name) : nullptr;
  return list && list->is_array() ? list->get_array() : kNone;
}

std::int64_t late_count(const boost::json::value& answer) {
  std::int64_t count = 0;
  for (const auto& item : list_of(answer, "outcomes"))
    if (const auto* row = item.if_object(); row && text_member(*row, "outcome") == "late")
      count += number_member(*row, "count");
  return count;
}

struct PartitionTime {
  std::string name;
  Timestamp watermark;
};

// The input whose watermark stands highest, if any had an event.
std::optional<PartitionTime> furthest(const boost::json::value& answer) {
  std::optional<PartitionTime> best;
  for (const auto& item : list_of(answer, "watermarks")) {
    const auto* row = item.if_object();
    const auto time = row ? parse_time(text_member(*row, "watermark"))
                          : Result<Timestamp>(fail(ErrorKind::invalid, ""));
    if (!time || (best && best->watermark >= *time)) continue;
    best = PartitionTime{text_member(*row, "topic") + ", partition " +
                             std::to_string(number_member(*row, "partition")),
                         *time};
  }
  return best;
}

}  // namespace

std::string late_notice(const boost::json::value& before, const boost::json::value& after) {
  const std::int64_t count = late_count(after) - late_count(before);
  if (count <= 0) return {};
  const auto first = furthest(before);
  const auto last = furthest(after);
  std::string text =
      with_thousands(count) + (count == 1 ? " event was late: " : " events were late: ");
  if (first) {
    text += "when this began, the watermark of " + first->name + " stood at " +
            format_time(first->watermark) + " already";
  } else if (last) {
    text += "the files' own later events moved the watermark of " + last->name + " to " +
            format_time(last->watermark) + " first";
  }
  return text +
         ", and what lies further back than the dedupe horizon cannot be told from a duplicate. "
         "Late events are kept and counted as late; import older files into a new data directory, "
         "or move their times with --retime";
}

}  // namespace adbrook::app
