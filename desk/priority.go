package desk

// Levels of impact, urgency and fault severity: 1 is the highest, 3 the lowest.
const (
	highestLevel = 1
	mediumLevel  = 2
	lowestLevel  = 3
)

// priority returns 1 (most pressing) to 5 from impact and urgency, each 1 to 3.
func priority(impact, urgency int32) int32 { return impact + urgency - 1 }
