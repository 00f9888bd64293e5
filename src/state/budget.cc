#include "state/budget.h"

#include <string>

namespace adbrook::state {

Result<void> check_budget(Bytes budget, OverBudget over_budget) {
  if (budget >= kBudgetMin) return {};
  const std::string policy = over_budget == OverBudget::spill ? "spills" : "waits";
  return fail(ErrorKind::invalid, "cannot open a store that " + policy + " above " +
                                      std::to_string(budget.count) + " bytes: one bucket needs " +
                                      std::to_string(kBudgetMin.count) +
                                      " bytes with its index; give it a larger budget");
}

}  // namespace adbrook::state
