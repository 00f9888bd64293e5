#include "ads/dead_letter_list.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "ads/dead_letter.h"
#include "base/hash.h"
#include "base/text.h"

namespace adbrook::ads {
namespace {

constexpr std::string_view kOtherReasons = "other";
constexpr std::size_t kDetailSizeMax = 1'000;  // of one listed entry
constexpr std::size_t kSourceSizeMax = 300;

struct IdHash {
  std::size_t operator()(Uuid id) const { return static_cast<std::size_t>(xxh3(id)); }
};

Uuid letter_id(const ScannedRecord& scanned, const DeadLetter& letter) {
  if (scanned.record.key)
    if (const auto id = Uuid::parse(as_text(*scanned.record.key))) return *id;
  return dead_letter_id(letter);
}

DeadLetterEntry entry_of(const ScannedRecord& scanned, const DeadLetter& letter, Uuid id) {
  return {.id = id,
          .source = printable(letter.source, kSourceSizeMax),
          .place = letter.place,
          .append_time = scanned.append_time,
          .reason = std::string(letter.reason),
          .field = std::string(letter.field),
          .detail = std::string(letter.detail.substr(0, kDetailSizeMax)),
          .size = static_cast<std::int64_t>(letter.bytes.size())};
}

// Letters that the log took in the same millisecond still have one order.
auto age_of(const DeadLetterEntry& entry) { return std::tie(entry.append_time, entry.id); }

// A mark stands behind its letter, of several the last one counts.
void note(std::optional<SentAgain>& sent, const ScannedRecord& scanned,
          const DeadLetterRedrive& redrive) {
  const std::int64_t before = sent ? sent->count : 0;
  sent = {before + 1, scanned.append_time, std::string(redrive.topic), redrive.event};
}

// Owned by the scan that fills it.
class ListBuilder {
 public:
  ListBuilder(DeadLetterQuery query, std::shared_ptr<void> ticket)
      : query_(std::move(query)), ticket_(std::move(ticket)) {}

  void add(const ScannedRecord& scanned) {
    const ByteView value = scanned.record.value.value_or(ByteView{});
    if (const auto redrive = read_dead_letter_redrive(value)) return add_mark(scanned, *redrive);
    const auto letter = read_dead_letter(value);
    if (!letter) return;  // whatever somebody else wrote there is no dead letter
    const Uuid id = letter_id(scanned, *letter);
    if (seen_.contains(id)) return;
    const DeadLetterEntry entry = entry_of(scanned, *letter, id);
    DeadLetterGroup& group = add_to_group(entry);
    if (seen_.size() < kDistinctLettersMax) seen_.emplace(id, &group);
    if (query_.reason.empty() || query_.reason == entry.reason) keep(entry);
  }

  DeadLetterList finish() && {
    ticket_.reset();  // who is answered may ask again at once
    DeadLetterList list;
    for (auto& [reason, group] : groups_) list.groups.push_back(std::move(group));
    std::ranges::stable_sort(list.groups, std::ranges::greater{}, &DeadLetterGroup::count);
    std::ranges::sort(entries_, [&](const auto& a, const auto& b) { return before(a, b); });
    const std::size_t end = query_.skip + query_.limit;
    list.more = entries_.size() > end;
    for (std::size_t i = query_.skip; i < std::min(end, entries_.size()); ++i) {
      if (const auto mark = marks_.find(entries_[i].id); mark != marks_.end())
        entries_[i].sent_again = mark->second;
      list.entries.push_back(std::move(entries_[i]));
    }
    return list;
  }

 private:
  bool before(const DeadLetterEntry& a, const DeadLetterEntry& b) const {
    return query_.order == ListOrder::newest_first ? age_of(b) < age_of(a) : age_of(a) < age_of(b);
  }

  bool is_behind(const DeadLetterPlace& place, const DeadLetterEntry& entry) const {
    const auto end = std::tie(place.append_time, place.id);
    return query_.order == ListOrder::newest_first ? age_of(entry) < end : end < age_of(entry);
  }

  // A mark of a letter that retention has removed marks nothing.
  void add_mark(const ScannedRecord& scanned, const DeadLetterRedrive& redrive) {
    const auto id = scanned.record.key ? Uuid::parse(as_text(*scanned.record.key)) : std::nullopt;
    const auto letter = id ? seen_.find(*id) : seen_.end();
    if (letter == seen_.end()) return;
    auto& mark = marks_[*id];
    if (!mark) ++letter->second->sent_again;
    note(mark, scanned, redrive);
  }

  DeadLetterGroup& add_to_group(const DeadLetterEntry& entry) {
    const bool full = groups_.size() >= kLetterGroupCountMax && !groups_.contains(entry.reason);
    const std::string reason = full ? std::string(kOtherReasons) : entry.reason;
    auto [at, is_new] = groups_.try_emplace(
        reason, DeadLetterGroup{.reason = reason, .first = entry, .last = entry});
    DeadLetterGroup& group = at->second;
    ++group.count;
    if (age_of(entry) < age_of(group.first)) group.first = entry;
    if (age_of(group.last) < age_of(entry)) group.last = entry;
    return group;
  }

  // Keeps one more than are asked for, which tells whether there are more. The heap's front is the
  // one that goes next.
  void keep(const DeadLetterEntry& entry) {
    if (query_.after && !is_behind(*query_.after, entry)) return;
    const auto order = [&](const auto& a, const auto& b) { return before(a, b); };
    entries_.push_back(entry);
    std::ranges::push_heap(entries_, order);
    if (entries_.size() <= query_.skip + query_.limit + 1) return;
    std::ranges::pop_heap(entries_, order);
    entries_.pop_back();
  }

  DeadLetterQuery query_;
  std::shared_ptr<void> ticket_;
  std::map<std::string, DeadLetterGroup> groups_;
  std::unordered_map<Uuid, DeadLetterGroup*, IdHash> seen_;  // a map's nodes stay where they are
  std::unordered_map<Uuid, std::optional<SentAgain>, IdHash> marks_;
  std::vector<DeadLetterEntry> entries_;
};

Result<std::size_t> parse_count(std::string_view name, std::string_view text,
                                std::size_t otherwise) {
  if (text.empty()) return otherwise;
  std::size_t count = 0;
  const auto [at, ec] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (ec == std::errc{} && at == text.data() + text.size() && count <= kListedLettersMax)
    return count;
  return fail(ErrorKind::invalid, std::string(name) + ": '" + printable(text) +
                                      "' is no whole number from 0 to " +
                                      std::to_string(kListedLettersMax));
}

Result<DeadLetterPlace> parse_place(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto id = Uuid::parse(text.substr(std::min(dot + 1, text.size())));
  DeadLetterPlace place;
  const auto [at, ec] = std::from_chars(text.data(), text.data() + dot, place.append_time.ms);
  if (!id || ec != std::errc{} || at != text.data() + dot)
    return fail(
        ErrorKind::invalid,
        "after: '" + printable(text) + "' is no place in the list; take `next` of the page before");
  place.id = *id;
  return place;
}

}  // namespace

Result<DeadLetterQuery> parse_dead_letter_query(const DeadLetterRequest& request) {
  DeadLetterQuery query{.reason = request.reason};
  if (!request.order.empty() && request.order != "newest" && request.order != "oldest")
    return fail(ErrorKind::invalid,
                "order: '" + printable(request.order) + "' is neither newest nor oldest");
  if (request.order == "oldest") query.order = ListOrder::oldest_first;
  const auto skip = parse_count("skip", request.skip, query.skip);
  if (!skip) return std::unexpected(skip.error());
  const auto limit = parse_count("limit", request.limit, query.limit);
  if (!limit) return std::unexpected(limit.error());
  if (*skip + *limit > kListedLettersMax)
    return fail(ErrorKind::invalid, "skip/limit: together at most " +
                                        std::to_string(kListedLettersMax) +
                                        " are listed; go on with `after`");
  query.skip = *skip;
  query.limit = *limit;
  if (request.after.empty()) return query;
  const auto after = parse_place(request.after);
  if (!after) return std::unexpected(after.error());
  query.after = *after;
  return query;
}

void dead_letter_list(EventSearch& search, DeadLetterQuery query, Answer<DeadLetterList> answer) {
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  auto parts = search.parts_of(kDeadLettersTopic);
  if (!parts) return search.refuse(std::move(answer), parts.error());
  auto builder = std::make_shared<ListBuilder>(std::move(query), std::move(*ticket));
  search.scan({.parts = std::move(*parts),
               .wants = {},
               .each =
                   [builder](const ScannedRecord& scanned) {
                     builder->add(scanned);
                     return ScanVerdict::go_on;
                   }},
              [builder, answer = std::move(answer)](Result<void> done) mutable {
                if (!done) return answer(std::unexpected(done.error()));
                answer(std::move(*builder).finish());
              });
}

namespace {

// Letters by their ids with their bytes; marks are noted on the way.
class LettersById {
 public:
  explicit LettersById(const std::vector<Uuid>& ids) {
    for (const Uuid id : ids) letters_.emplace(id, std::nullopt);
  }

  void add(const ScannedRecord& scanned) {
    const ByteView value = scanned.record.value.value_or(ByteView{});
    if (const auto redrive = read_dead_letter_redrive(value)) return add_mark(scanned, *redrive);
    const auto letter = read_dead_letter(value);
    if (!letter) return;
    const Uuid id = letter_id(scanned, *letter);
    const auto place = letters_.find(id);
    if (place == letters_.end() || place->second) return;
    place->second = {entry_of(scanned, *letter, id),
                     Buffer(letter->bytes.begin(), letter->bytes.end())};
  }

  // Nothing when there is none.
  std::optional<DeadLetterWithBytes> take(Uuid id) { return std::move(letters_.at(id)); }

 private:
  void add_mark(const ScannedRecord& scanned, const DeadLetterRedrive& redrive) {
    const auto id = scanned.record.key ? Uuid::parse(as_text(*scanned.record.key)) : std::nullopt;
    const auto letter = id ? letters_.find(*id) : letters_.end();
    if (letter != letters_.end() && letter->second)
      note(letter->second->entry.sent_again, scanned, redrive);
  }

  std::unordered_map<Uuid, std::optional<DeadLetterWithBytes>, IdHash> letters_;
};

void find_letters(EventSearch& search, const std::vector<Uuid>& ids,
                  Answer<std::shared_ptr<LettersById>> answer) {
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  auto parts = search.parts_of(kDeadLettersTopic);
  if (!parts) return search.refuse(std::move(answer), parts.error());
  auto letters = std::make_shared<LettersById>(ids);
  search.scan({.parts = std::move(*parts),
               .wants = {},
               .each =
                   [letters](const ScannedRecord& scanned) {
                     letters->add(scanned);
                     return ScanVerdict::go_on;
                   }},
              [letters, ticket = std::move(*ticket),
               answer = std::move(answer)](Result<void> done) mutable {
                ticket.reset();
                if (!done) return answer(std::unexpected(done.error()));
                answer(std::move(letters));
              });
}

// The list up to where the bytes of its letters fit. One alone is shown whatever its size.
void end_where_full(DeadLetterList& list) {
  std::size_t size = 0, count = 0;
  for (const DeadLetterEntry& entry : list.entries) {
    size += static_cast<std::size_t>(entry.size);
    if (count > 0 && size > kShownBytesMax) break;
    ++count;
  }
  list.more = list.more || count < list.entries.size();
  list.entries.resize(count);
}

DeadLettersWithBytes shown(const DeadLetterList& list, LettersById& found) {
  DeadLettersWithBytes shown{.letters = {}, .more = list.more};
  for (const DeadLetterEntry& entry : list.entries)
    if (auto letter = found.take(entry.id)) shown.letters.push_back(std::move(*letter));
  return shown;
}

}  // namespace

void dead_letter(EventSearch& search, Uuid id, Answer<DeadLetterWithBytes> answer) {
  find_letters(search, {id}, [id, answer = std::move(answer)](auto found) mutable {
    if (!found) return answer(std::unexpected(found.error()));
    auto letter = (*found)->take(id);
    if (!letter)
      return answer(fail(ErrorKind::not_found,
                         "dead letter " + id.to_string() +
                             ": none has this id; `adbrook dead-letters list` shows ids"));
    answer(std::move(*letter));
  });
}

void dead_letter_bytes(EventSearch& search, DeadLetterQuery query,
                       Answer<DeadLettersWithBytes> answer) {
  dead_letter_list(search, std::move(query),
                   [&search, answer = std::move(answer)](Result<DeadLetterList> list) mutable {
                     if (!list) return answer(std::unexpected(list.error()));
                     end_where_full(*list);
                     std::vector<Uuid> ids;
                     for (const DeadLetterEntry& entry : list->entries) ids.push_back(entry.id);
                     find_letters(
                         search, ids,
                         [list = std::move(*list), answer = std::move(answer)](auto found) mutable {
                           if (!found) return answer(std::unexpected(found.error()));
                           answer(shown(list, **found));
                         });
                   });
}

}  // namespace adbrook::ads
