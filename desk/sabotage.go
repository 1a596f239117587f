package desk

// Rule names a rule of the protocol that a build with the tag sabotage can switch off, so that the simulation of a whole
// tree can be seen to notice. In every other build all rules hold and asking costs nothing.
type Rule int

const (
	FreezeInTransit Rule = iota + 1 // nobody decides while a ticket is in transit
	StreamMark                      // items up to the mark of a stream are skipped
	Fence                           // an incarnation of a neighbour that is past is refused
	HeadCheck                       // a custodial event is folded onto the head that it names and no other
	Relay                           // what comes over one link goes on over the others
)
