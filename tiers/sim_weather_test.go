package tiers

// simWeather is how hard a world is hit.
type simWeather struct {
	storm bool // every kind of blow may fall, and lines are cut without a word; otherwise chance leaves kinds out
	lives int  // how many more lives than one each the sites of a world have
	moves int  // how often offices are moved
}

// fairWeather leaves time to work between the blows.
func fairWeather() simWeather { return simWeather{lives: 4, moves: 2} }

// storm has sites restored, copied, rebuilt and moved everywhere at once.
func storm() simWeather { return simWeather{storm: true, lives: 6, moves: 12} }
