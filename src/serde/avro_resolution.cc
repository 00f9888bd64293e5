#include "serde/avro_resolution.h"

#include <algorithm>

namespace adbrook::serde {
namespace {

bool is_number(AvroType type) { return type >= AvroType::int_ && type <= AvroType::double_; }

// int -> long -> float -> double, and bytes <-> string.
bool can_promote(AvroType from, AvroType to) {
  if (is_number(from) && is_number(to)) return from <= to;
  return (from == AvroType::bytes && to == AvroType::string) ||
         (from == AvroType::string && to == AvroType::bytes);
}

bool has_alias(const AvroNode& node, const std::string& full_name) {
  return std::ranges::find(node.aliases, full_name) != node.aliases.end();
}

enum class Closeness { none, by_promotion, by_alias, by_unqualified_name, same };

// How well the outsides of two types fit; what is inside is resolved later.
Closeness closeness(const AvroNode& from, const AvroNode& to) {
  if (from.type != to.type)
    return can_promote(from.type, to.type) ? Closeness::by_promotion : Closeness::none;
  if (!from.is_named()) return Closeness::same;
  if (from.type == AvroType::fixed && from.fixed_size != to.fixed_size) return Closeness::none;
  if (from.name == to.name) return Closeness::same;
  if (unqualified_name(from.name) == unqualified_name(to.name))
    return Closeness::by_unqualified_name;
  return has_alias(to, from.name) ? Closeness::by_alias : Closeness::none;
}

std::string describe(const AvroNode& node) {
  std::string text(to_string(node.type));
  if (node.is_named()) text += " " + node.name;
  if (node.type == AvroType::fixed) text += " of " + std::to_string(node.fixed_size) + " bytes";
  return text;
}

// The writer's field for a field of the reader: by its name, then by its aliases; or its count.
std::size_t find_writer_field(const AvroNode& from, const AvroField& field) {
  const auto named = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(from.fields, name, &AvroField::name) -
                                    from.fields.begin());
  };
  std::size_t found = named(field.name);
  for (const std::string& alias : field.aliases)
    if (found == from.fields.size()) found = named(alias);
  return found;
}

}  // namespace

Result<AvroResolution> AvroResolution::compile(std::shared_ptr<const AvroSchema> writer,
                                               std::shared_ptr<const AvroSchema> reader) {
  AvroResolution resolution;
  resolution.writer_ = std::move(writer);
  resolution.reader_ = std::move(reader);
  resolution.root_ =
      resolution.resolve(resolution.writer_->root_index(), resolution.reader_->root_index());
  const AvroStep& root = resolution.step(resolution.root_);
  if (root.kind == AvroStep::Kind::mismatch)
    return fail(ErrorKind::invalid, "resolving Avro schemas: " + root.why);
  resolution.known_.clear();
  return resolution;
}

// One step per pair of types: types that hold themselves meet their own step again.
AvroStepIndex AvroResolution::resolve(AvroNodeIndex from, AvroNodeIndex to) {
  const auto [known, is_new] = known_.try_emplace({from, to}, steps_.size());
  if (!is_new) return known->second;
  const AvroStepIndex index = known->second;
  steps_.emplace_back();
  steps_[index].writer = from;
  if (depth_ == kDepthMax) {
    steps_[index].why = "types refer to each other in too long a chain";
    return index;
  }
  ++depth_;
  fill(index, from, to);
  --depth_;
  return index;
}

void AvroResolution::fill(AvroStepIndex index, AvroNodeIndex from_index, AvroNodeIndex to_index) {
  const AvroNode& from = writer_->node(from_index);
  const AvroNode& to = reader_->node(to_index);
  // The writer's branch is only known per value, so each gets a step, also one that must fail.
  if (from.type == AvroType::union_) {
    std::vector<AvroStepIndex> children;
    for (const AvroNodeIndex branch : from.branches) children.push_back(resolve(branch, to_index));
    steps_[index].kind = AvroStep::Kind::writer_union;
    steps_[index].children = std::move(children);
    return;
  }
  if (to.type == AvroType::union_) return fill_reader_union(index, from_index, to);
  if (closeness(from, to) == Closeness::none) {
    steps_[index].why = describe(from) + " was written, and cannot be read as " + describe(to);
    return;
  }
  steps_[index].from = from.type;
  steps_[index].to = to.type;
  steps_[index].fixed_size = from.fixed_size;
  switch (from.type) {
    case AvroType::record: return fill_record(index, from, to);
    case AvroType::enumeration: return fill_enumeration(steps_[index], from, to);
    case AvroType::array:
    case AvroType::map: {
      const AvroStepIndex child = resolve(from.items, to.items);
      steps_[index].children = {child};
      steps_[index].kind =
          from.type == AvroType::array ? AvroStep::Kind::array : AvroStep::Kind::map;
      return;
    }
    default: steps_[index].kind = AvroStep::Kind::scalar;
  }
}

// By name, since the reader may have other symbols in another order.
void AvroResolution::fill_enumeration(AvroStep& step, const AvroNode& from, const AvroNode& to) {
  step.kind = AvroStep::Kind::enumeration;
  std::map<std::string_view, std::int32_t> places;
  for (const std::string& symbol : to.symbols)
    places.emplace(symbol, static_cast<std::int32_t>(places.size()));
  for (const std::string& symbol : from.symbols) {
    const auto found = places.find(symbol);
    const std::int32_t otherwise =
        to.default_symbol ? static_cast<std::int32_t>(*to.default_symbol) : -1;
    step.targets.push_back(found != places.end() ? found->second : otherwise);
  }
}

// Resolving children may move steps_, so the step is built apart and stored at the end.
void AvroResolution::fill_record(AvroStepIndex index, const AvroNode& from, const AvroNode& to) {
  AvroStep step = steps_[index];
  step.kind = AvroStep::Kind::record;
  step.field_count = static_cast<std::uint32_t>(to.fields.size());
  step.targets.assign(from.fields.size(), -1);
  step.children.assign(from.fields.size(), 0);
  // A record that holds itself meets this step again before it is done.
  steps_[index].kind = AvroStep::Kind::record;
  for (std::size_t i = 0; i < to.fields.size(); ++i) {
    const AvroField& field = to.fields[i];
    const std::size_t source = find_writer_field(from, field);
    if (source < from.fields.size() && step.targets[source] < 0) {
      step.targets[source] = static_cast<std::int32_t>(i);
      step.children[source] = resolve(from.fields[source].type, field.type);
      const AvroStep& child = steps_[step.children[source]];
      if (child.kind != AvroStep::Kind::mismatch) continue;
      step.kind = AvroStep::Kind::mismatch;
      step.why = "field '" + field.name + "' of " + to.name + ": " + child.why;
      break;
    }
    if (field.default_value) {
      step.defaults.push_back({i, &*field.default_value});
      continue;
    }
    step.kind = AvroStep::Kind::mismatch;
    step.why = "field '" + field.name + "' of " + to.name +
               " was not written, and has no default in the reader's schema";
    break;
  }
  steps_[index] = std::move(step);
}

// The closest branch, the first of equals: a value's own type is preferred to a promotion.
void AvroResolution::fill_reader_union(AvroStepIndex index, AvroNodeIndex from_index,
                                       const AvroNode& to) {
  const AvroNode& from = writer_->node(from_index);
  Closeness best = Closeness::none;
  std::size_t best_branch = 0;
  for (std::size_t i = 0; i < to.branches.size(); ++i) {
    const Closeness here = closeness(from, reader_->node(to.branches[i]));
    if (here <= best) continue;
    best = here;
    best_branch = i;
  }
  if (best == Closeness::none) {
    steps_[index].why = describe(from) + " was written, and no branch of the reader's union fits";
    return;
  }
  const AvroStepIndex child = resolve(from_index, to.branches[best_branch]);
  if (steps_[child].kind == AvroStep::Kind::mismatch) {
    steps_[index].why = steps_[child].why;
    return;
  }
  steps_[index].kind = AvroStep::Kind::reader_union;
  steps_[index].children = {child};
  steps_[index].branch = static_cast<std::uint32_t>(best_branch);
}

}  // namespace adbrook::serde
