#include "app/progress.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace adbrook::app {
namespace {

double seconds(Nanos duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::string format_elapsed(Nanos elapsed) {
  const long long all = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  std::array<char, 48> text;
  if (all >= 3600)
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", all / 3600, all / 60 % 60,
                  all % 60);
  else
    std::snprintf(text.data(), text.size(), "%lld:%02lld", all / 60, all % 60);
  return text.data();
}

Progress::Progress(io::Clock& clock, std::string what, std::string unit,
                   std::optional<std::uint64_t> total, std::function<void(std::string_view)> write,
                   ProgressOptions options)
    : clock_(clock),
      what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      write_(std::move(write)),
      options_(options),
      started_(clock.monotonic()),
      drawn_(started_) {}

Progress::~Progress() {
  // An interrupted one leaves the cursor on a line of its own.
  if (!finished_ && drawn_once_ && options_.terminal) write_("\n");
}

std::string Progress::line(Nanos now) const {
  const double elapsed = seconds(now - started_);
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  std::string text = what_ + " " + with_thousands(static_cast<long long>(done_));
  if (total_) text += " of " + with_thousands(static_cast<long long>(*total_));
  text += " " + unit_;
  if (total_ && *total_ > 0) text += " (" + std::to_string(done_ * 100 / *total_) + " %)";
  text += ", " + with_thousands(static_cast<long long>(rate)) + "/s";
  if (total_ && rate > 0 && done_ < *total_)
    text += ", " +
            format_elapsed(std::chrono::duration_cast<Nanos>(
                std::chrono::duration<double>(static_cast<double>(*total_ - done_) / rate))) +
            " left";
  if (!note_.empty()) text += ", " + note_;
  return text;
}

void Progress::update(std::uint64_t done, std::string_view note) {
  done_ = done;
  if (finished_) return;
  note_ = note;
  const Nanos now = clock_.monotonic();
  if (now - drawn_ < (options_.terminal ? options_.redraw : options_.plain_line)) return;
  drawn_ = now;
  drawn_once_ = true;
  std::string text = line(now);
  if (!options_.terminal) {
    write_(text + "\n");
    return;
  }
  const auto width = static_cast<std::size_t>(options_.width > 1 ? options_.width - 1 : 1);
  if (text.size() > width) text.resize(width);
  write_("\r\x1b[K" + text);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  const Nanos elapsed = clock_.monotonic() - started_;
  const double rate = elapsed.count() > 0 ? static_cast<double>(done_) / seconds(elapsed) : 0;
  std::array<char, 32> took;
  std::snprintf(took.data(), took.size(), "%.1f s", seconds(elapsed));
  write_((options_.terminal && drawn_once_ ? "\r\x1b[K" : "") + what_ + " " +
         with_thousands(static_cast<long long>(done_)) + " " + unit_ + " took " + took.data() +
         " (" + with_thousands(static_cast<long long>(rate)) + "/s)\n");
}

}  // namespace adbrook::app
