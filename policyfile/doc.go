// Package policyfile reads and writes the policy of a desk as YAML that people keep under version control. It tells every
// mistake with its line, and writes what it has read in one form. It reads no files and knows no site; the API and tests call
// it.
package policyfile
