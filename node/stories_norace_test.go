//go:build !race

package node

// retold are stories of the desk's people that real sites play too.
func retold() []string {
	return []string{
		"1-finance/three-tiers",
		"1-finance/where-it-stuck",
		"2-city/approval",
		"2-city/co-signing",
		"2-city/reminders",
		"2-city/urging",
		"2-city/what-the-requester-sees",
		"2-city/working-together",
		"3-county/three-entries",
		"4-desk/auto-close-and-reopen",
		"4-desk/duplicates",
		"4-desk/goes-home",
		"4-desk/major-incident",
		"4-desk/not-accepted-in-time",
		"4-desk/parent-and-children",
		"4-desk/waiting-for-the-requester",
		"5-power/call-back",
		"5-power/dissatisfied",
		"7-cloud/inspection",
		"7-cloud/measured-by-line",
		"7-cloud/one-voice",
	}
}
