#include <algorithm>
#include <string>

#include "serde/avro_codec.h"

namespace adbrook::serde {
namespace {

using Kind = AvroStep::Kind;

// Skipping takes no memory, but types without bytes in each other could take for ever.
constexpr std::size_t kSkipsPerByte = 64;
constexpr std::size_t kSkipsMin = 64 * 1024;

// One value's way through the steps. Functions return false and leave an error.
class Decoding {
 public:
  Decoding(const AvroResolution& resolution, const AvroLimits& limits, AvroReader& from)
      : resolution_(resolution),
        from_(from),
        memory_left_(limits.memory_per_byte * from.left() +
                     static_cast<std::size_t>(limits.memory_base.count)),
        skips_left_(kSkipsPerByte * from.left() + kSkipsMin),
        depth_left_(limits.depth_max) {}

  bool read(AvroStepIndex index, AvroValue& value);
  Error take_error() {
    std::string where = path_.empty() ? "" : " field " + path_;
    return {error_kind_,
            "Avro value," + where + " at byte " + std::to_string(from_.position()) + ": " + why_};
  }

 private:
  bool read_step(const AvroStep& step, AvroValue& value);
  bool read_scalar(const AvroStep& step, AvroValue& value);
  bool read_enumeration(const AvroStep& step, AvroValue& value);
  bool read_record(const AvroStep& step, AvroValue& value);
  bool read_array(const AvroStep& step, AvroValue& value);
  bool read_map(const AvroStep& step, AvroValue& value);
  bool skip(AvroNodeIndex index);
  bool skip_node(const AvroNode& node);
  bool skip_blocks(const AvroNode& node);
  bool copy_default(const AvroValue& from, AvroValue& to);

  // Memory is paid for before it is taken.
  bool charge(std::size_t bytes) {
    if (bytes > memory_left_)
      return stop(ErrorKind::overloaded, "it would take too much memory; it holds too many values");
    memory_left_ -= bytes;
    return true;
  }
  // The first block gets exact room; further ones let the room double, which costs up to three
  // times as much while it moves.
  bool charge_items(std::size_t count, bool first, std::size_t item_size) {
    const std::size_t cost = first ? item_size : 3 * item_size;
    return charge(count > memory_left_ / cost ? memory_left_ + 1 : count * cost);
  }
  bool deeper() {
    if (depth_left_ == 0) return stop(ErrorKind::overloaded, "values are nested too deep");
    --depth_left_;
    return true;
  }
  bool stop(ErrorKind kind, std::string why) {
    error_kind_ = kind;
    why_ = std::move(why);
    return false;
  }
  // AvroReader keeps its first error; here it becomes a sentence.
  bool check_bytes() {
    return from_.ok() || stop(ErrorKind::corrupt,
                              "the bytes end early, or a size, count or branch "
                              "cannot be");
  }
  // Puts the field in front of the path while an error goes up.
  bool in_field(std::string_view name) {
    path_ = path_.empty() ? std::string(name) : std::string(name) + "." + path_;
    return false;
  }

  const AvroResolution& resolution_;
  AvroReader& from_;
  std::size_t memory_left_;
  std::size_t skips_left_;
  std::size_t depth_left_;
  ErrorKind error_kind_ = ErrorKind::corrupt;
  std::string why_;
  std::string path_;
};

// A level deeper: fields, items and values of maps come here.
bool Decoding::read(AvroStepIndex index, AvroValue& value) {
  if (!deeper()) return false;
  const bool good = read_step(resolution_.step(index), value);
  ++depth_left_;
  return good;
}

bool Decoding::read_step(const AvroStep& step, AvroValue& value) {
  switch (step.kind) {
    case Kind::scalar: return read_scalar(step, value);
    case Kind::enumeration: return read_enumeration(step, value);
    case Kind::array: return read_array(step, value);
    case Kind::map: return read_map(step, value);
    case Kind::record: return read_record(step, value);
    case Kind::mismatch: return stop(ErrorKind::invalid, step.why);
    case Kind::reader_union:
      if (!read_step(resolution_.step(step.children[0]), value)) return false;
      value.branch = step.branch;
      return true;
    case Kind::writer_union: {
      const std::size_t branch = from_.read_union_branch(step.children.size());
      if (!check_bytes()) return false;
      // The writer's branch; a reader_union inside sets the reader's.
      return read_step(resolution_.step(step.children[branch]), value);
    }
  }
  return false;
}

// Reads as the writer wrote, keeps as the reader wants.
bool Decoding::read_scalar(const AvroStep& step, AvroValue& value) {
  const auto keep_text = [&](ByteView bytes) {
    if (!charge(bytes.size())) return false;
    value.content = std::string(as_text(bytes));
    return true;
  };
  const bool to_integer = step.to == AvroType::int_ || step.to == AvroType::long_;
  double number = 0;
  switch (step.from) {
    case AvroType::null: value.content = std::monostate(); return true;
    case AvroType::boolean: value.content = from_.read_boolean(); return check_bytes();
    case AvroType::bytes:
    case AvroType::string: {
      const ByteView bytes = from_.read_bytes();
      return check_bytes() && keep_text(bytes);
    }
    case AvroType::fixed: {
      const ByteView bytes = from_.read_fixed(step.fixed_size);
      return check_bytes() && keep_text(bytes);
    }
    case AvroType::int_:
    case AvroType::long_: {
      const std::int64_t integer =
          step.from == AvroType::int_ ? from_.read_int() : from_.read_long();
      if (to_integer) value.content = integer;
      number = static_cast<double>(integer);
      break;
    }
    case AvroType::float_: number = static_cast<double>(from_.read_float()); break;
    default: number = from_.read_double(); break;
  }
  if (step.to == AvroType::float_) number = static_cast<double>(static_cast<float>(number));
  if (!to_integer) value.content = number;
  return check_bytes();
}

// A symbol's number is written like a union's branch: 0 to count - 1.
bool Decoding::read_enumeration(const AvroStep& step, AvroValue& value) {
  const std::size_t symbol = from_.read_union_branch(step.targets.size());
  if (!check_bytes()) return false;
  if (step.targets[symbol] < 0) {
    return stop(ErrorKind::invalid, "symbol '" +
                                        resolution_.writer().node(step.writer).symbols[symbol] +
                                        "' is not in the reader's enum, which has no default");
  }
  value.content = static_cast<std::int64_t>(step.targets[symbol]);
  return true;
}

// Fields come in the writer's order and go to their place in the reader's.
bool Decoding::read_record(const AvroStep& step, AvroValue& value) {
  if (!charge(step.field_count * sizeof(AvroValue))) return false;
  AvroItems items(step.field_count);
  const std::vector<AvroField>& fields = resolution_.writer().node(step.writer).fields;
  for (std::size_t i = 0; i < step.targets.size(); ++i) {
    const std::int32_t target = step.targets[i];
    const bool good = target < 0 ? skip(fields[i].type)
                                 : read(step.children[i], items[static_cast<std::size_t>(target)]);
    if (!good) return in_field(fields[i].name);
  }
  for (const AvroStep::Default& missing : step.defaults)
    if (!copy_default(*missing.value, items[missing.field])) return false;
  value.content = std::move(items);
  return true;
}

// Charges what a copy takes before it is made.
bool Decoding::copy_default(const AvroValue& from, AvroValue& to) {
  if (const auto* text = from.get<std::string>(); text != nullptr && !charge(text->size()))
    return false;
  if (const auto* items = from.get<AvroItems>()) {
    if (!charge(items->size() * sizeof(AvroValue))) return false;
    AvroItems copies(items->size());
    for (std::size_t i = 0; i < items->size(); ++i)
      if (!copy_default((*items)[i], copies[i])) return false;
    to.content = std::move(copies);
  } else if (const auto* entries = from.get<AvroEntries>()) {
    AvroEntries copies;
    for (const AvroEntry& entry : *entries) {
      if (!charge(2 * sizeof(AvroEntry) + entry.key.size())) return false;
      copies.push_back({entry.key, {}});
      if (!copy_default(entry.value, copies.back().value)) return false;
    }
    to.content = std::move(copies);
  } else {
    to.content = from.content;
  }
  to.branch = from.branch;
  return true;
}

bool Decoding::read_array(const AvroStep& step, AvroValue& value) {
  AvroItems items;
  while (true) {
    // Items may take no bytes (null), so the memory is their limit.
    const std::size_t count = from_.read_block_count(0);
    if (!check_bytes()) return false;
    if (count == 0) break;
    if (!charge_items(count, items.empty(), sizeof(AvroValue))) return false;
    if (items.empty()) items.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      if (!read(step.children[0], items.emplace_back())) return false;
  }
  value.content = std::move(items);
  return true;
}

// A key takes at least its size byte, so a count above the bytes that are left is a lie.
bool Decoding::read_map(const AvroStep& step, AvroValue& value) {
  AvroEntries entries;
  while (true) {
    const std::size_t count = from_.read_block_count(1);
    if (!check_bytes()) return false;
    if (count == 0) break;
    if (!charge_items(count, entries.empty(), sizeof(AvroEntry))) return false;
    if (entries.empty()) entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view key = from_.read_string_view();
      if (!check_bytes() || !charge(key.size())) return false;
      entries.push_back({std::string(key), {}});
      if (!read(step.children[0], entries.back().value)) return in_field(entries.back().key);
    }
  }
  value.content = std::move(entries);
  return true;
}

// Steps over a field that the reader does not want, without keeping any of it.
bool Decoding::skip(AvroNodeIndex index) {
  if (skips_left_ == 0) return charge(memory_left_ + 1);
  --skips_left_;
  if (!deeper()) return false;
  const bool good = skip_node(resolution_.writer().node(index));
  ++depth_left_;
  return good && check_bytes();
}

bool Decoding::skip_node(const AvroNode& node) {
  switch (node.type) {
    case AvroType::null: return true;
    case AvroType::boolean: from_.read_boolean(); return true;
    case AvroType::int_: from_.read_int(); return true;
    case AvroType::long_: from_.read_long(); return true;
    case AvroType::float_: from_.read_float(); return true;
    case AvroType::double_: from_.read_double(); return true;
    case AvroType::bytes:
    case AvroType::string: from_.read_bytes(); return true;
    case AvroType::fixed: from_.read_fixed(node.fixed_size); return true;
    case AvroType::enumeration: from_.read_union_branch(node.symbols.size()); return true;
    case AvroType::record:
      return std::ranges::all_of(node.fields, [this](const auto& f) { return skip(f.type); });
    case AvroType::union_: {
      const std::size_t branch = from_.read_union_branch(node.branches.size());
      return check_bytes() && skip(node.branches[branch]);
    }
    case AvroType::array:
    case AvroType::map: return skip_blocks(node);
  }
  return false;
}

bool Decoding::skip_blocks(const AvroNode& node) {
  while (true) {
    const std::size_t count = from_.read_block_count(0);
    if (!check_bytes()) return false;
    if (count == 0) return true;
    for (std::size_t i = 0; i < count; ++i) {
      if (node.type == AvroType::map) from_.read_bytes();
      if (!check_bytes() || !skip(node.items)) return false;
    }
  }
}

}  // namespace

Result<AvroDecoder> AvroDecoder::create(std::shared_ptr<const AvroSchema> schema,
                                        AvroLimits limits) {
  return create(schema, schema, limits);
}

Result<AvroDecoder> AvroDecoder::create(std::shared_ptr<const AvroSchema> writer,
                                        std::shared_ptr<const AvroSchema> reader,
                                        AvroLimits limits) {
  auto resolution = AvroResolution::compile(std::move(writer), std::move(reader));
  if (!resolution) return pass(std::move(resolution.error()));
  return AvroDecoder(std::move(*resolution), limits);
}

Result<AvroValue> AvroDecoder::decode_next(AvroReader& from) const {
  Decoding decoding(resolution_, limits_, from);
  AvroValue value;
  if (!decoding.read(resolution_.root(), value)) return std::unexpected(decoding.take_error());
  return value;
}

Result<AvroValue> AvroDecoder::decode(ByteView bytes) const {
  AvroReader from(bytes);
  auto value = decode_next(from);
  if (value && !from.done())
    return fail(ErrorKind::corrupt, "Avro value, " + std::to_string(from.left()) +
                                        " bytes follow its end; is this the right schema?");
  return value;
}

}  // namespace adbrook::serde
