// Package policyfile reads and writes the policy of a desk as YAML that people keep under version control. It tells every
// mistake with its line, writes what it has read in one form, and changes an entry of a text without touching the rest. It reads no
// files and knows no site; the API, the pages of administration and tests call it.
package policyfile
