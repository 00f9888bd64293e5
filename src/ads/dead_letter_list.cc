#include "ads/dead_letter_list.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "ads/dead_letter.h"
#include "base/hash.h"
#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::ads {
namespace {

constexpr std::string_view kOtherReasons = "other";
constexpr std::size_t kDetailSizeMax = 1'000;  // of one listed entry
constexpr std::size_t kSourceSizeMax = 300;

struct IdHash {
  std::size_t operator()(Uuid id) const { return static_cast<std::size_t>(xxh3(id)); }
};

Uuid id_of(const ScannedRecord& scanned, const DeadLetter& letter) {
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

// Owned by the scan that fills it.
class ListBuilder {
 public:
  ListBuilder(DeadLetterQuery query, std::shared_ptr<void> ticket)
      : query_(std::move(query)), ticket_(std::move(ticket)) {}

  void add(const ScannedRecord& scanned) {
    const auto letter = read_dead_letter(scanned.record.value.value_or(ByteView{}));
    if (!letter) return;  // whatever somebody else wrote there is no dead letter
    const Uuid id = id_of(scanned, *letter);
    if (seen_.contains(id)) return;
    if (seen_.size() < kDistinctLettersMax) seen_.insert(id);
    const DeadLetterEntry entry = entry_of(scanned, *letter, id);
    add_to_group(entry);
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
    for (std::size_t i = query_.skip; i < std::min(end, entries_.size()); ++i)
      list.entries.push_back(std::move(entries_[i]));
    return list;
  }

 private:
  bool before(const DeadLetterEntry& a, const DeadLetterEntry& b) const {
    return query_.order == ListOrder::newest_first ? age_of(b) < age_of(a) : age_of(a) < age_of(b);
  }

  void add_to_group(const DeadLetterEntry& entry) {
    const bool full = groups_.size() >= kLetterGroupCountMax && !groups_.contains(entry.reason);
    const std::string reason = full ? std::string(kOtherReasons) : entry.reason;
    auto [at, is_new] = groups_.try_emplace(reason, DeadLetterGroup{reason, 0, entry, entry});
    DeadLetterGroup& group = at->second;
    ++group.count;
    if (age_of(entry) < age_of(group.first)) group.first = entry;
    if (age_of(group.last) < age_of(entry)) group.last = entry;
  }

  // Keeps one more than are asked for, which tells whether there are more. The heap's front is the
  // one that goes next.
  void keep(const DeadLetterEntry& entry) {
    const auto order = [&](const auto& a, const auto& b) { return before(a, b); };
    entries_.push_back(entry);
    std::ranges::push_heap(entries_, order);
    if (entries_.size() <= query_.skip + query_.limit + 1) return;
    std::ranges::pop_heap(entries_, order);
    entries_.pop_back();
  }

  DeadLetterQuery query_;
  std::shared_ptr<void> ticket_;
  std::unordered_set<Uuid, IdHash> seen_;
  std::map<std::string, DeadLetterGroup> groups_;
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

void write_entry(serde::JsonWriter& json, const DeadLetterEntry& entry) {
  json.field("id", std::string_view(entry.id.to_string()));
  json.field("source", std::string_view(entry.source));
  json.field("place", entry.place);
  json.field("append_time", std::string_view(format_time(entry.append_time)));
  json.field("reason", std::string_view(entry.reason));
  json.field("field", std::string_view(entry.field));
  json.field("detail", std::string_view(entry.detail));
  json.field("size", entry.size);
}

void write_entry_object(serde::JsonWriter& json, const DeadLetterEntry& entry) {
  json.begin_object();
  write_entry(json, entry);
  json.end_object();
}

std::string hex_of(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    hex += kDigits[static_cast<std::size_t>(byte) >> 4];
    hex += kDigits[static_cast<std::size_t>(byte) & 15];
  }
  return hex;
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
                                        " are listed; filter by reason, or consume the topic "
                                        "dead-letters");
  query.skip = *skip;
  query.limit = *limit;
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

void dead_letter(EventSearch& search, Uuid id, Answer<DeadLetterWithBytes> answer) {
  auto ticket = search.begin();
  if (!ticket) return search.refuse(std::move(answer), ticket.error());
  auto parts = search.parts_of(kDeadLettersTopic);
  if (!parts) return search.refuse(std::move(answer), parts.error());
  auto found = std::make_shared<std::optional<DeadLetterWithBytes>>();
  search.scan(
      {.parts = std::move(*parts),
       .wants = {},
       .each =
           [found, id](const ScannedRecord& scanned) {
             const auto letter = read_dead_letter(scanned.record.value.value_or(ByteView{}));
             if (!letter || id_of(scanned, *letter) != id) return ScanVerdict::go_on;
             *found = {entry_of(scanned, *letter, id),
                       Buffer(letter->bytes.begin(), letter->bytes.end())};
             return ScanVerdict::stop;
           }},
      [found, id, ticket = std::move(*ticket),
       answer = std::move(answer)](Result<void> done) mutable {
        ticket.reset();
        if (!done) return answer(std::unexpected(done.error()));
        if (!*found)
          return answer(fail(ErrorKind::not_found,
                             "dead letter " + id.to_string() +
                                 ": none has this id; `adbrook dead-letters list` shows ids"));
        answer(std::move(**found));
      });
}

std::string to_json(const DeadLetterList& list) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  json.key("groups");
  json.begin_array();
  for (const DeadLetterGroup& group : list.groups) {
    json.begin_object();
    json.field("reason", std::string_view(group.reason));
    json.field("count", group.count);
    json.key("first");
    write_entry_object(json, group.first);
    json.key("last");
    write_entry_object(json, group.last);
    json.end_object();
  }
  json.end_array();
  json.key("dead_letters");
  json.begin_array();
  for (const DeadLetterEntry& entry : list.entries) write_entry_object(json, entry);
  json.end_array();
  json.field("more", list.more);
  json.end_object();
  return out;
}

std::string to_json(const DeadLetterWithBytes& letter) {
  std::string out;
  serde::JsonWriter json(out);
  json.begin_object();
  write_entry(json, letter.entry);
  if (is_valid_utf8(as_text(letter.bytes)))
    json.field("text", as_text(letter.bytes));
  else
    json.field("hex", std::string_view(hex_of(letter.bytes)));
  json.end_object();
  return out;
}

}  // namespace adbrook::ads
