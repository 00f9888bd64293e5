// Generated events on their way to an engine: what the flags mean, and the sending itself.
#pragma once

#include "ads/generator.h"
#include "app/command_tree.h"
#include "app/delivery.h"

namespace adbrook::app {

// With --rate the events happen now, one after the other, instead of in the past all at once.
inline bool is_live(const GenerateArguments& arguments) { return arguments.rate > 0; }

// invalid: names the flag and its rule.
Result<ads::GeneratorOptions> generator_options(const GenerateArguments& arguments,
                                                io::Clock& clock);

// Sends what the generator gives; live traffic waits for each event's moment.
Result<void> send_generated(ads::Generator& generator, Delivery& delivery, bool live);

}  // namespace adbrook::app
