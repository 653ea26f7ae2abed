# frozen_string_literal: true

Gem::Specification.new do |gem|
  gem.name = "cdc_audit"
  gem.version = "0.1.0"
  gem.summary = "Says who acts in the transactions of Active Record, for an audit log of PostgreSQL."
  gem.authors = ["cdc-audit"]
  gem.license = "Apache-2.0"
  gem.files = Dir["lib/**/*.rb", "README.md"]
  gem.required_ruby_version = ">= 3.1"
  gem.add_dependency "activerecord", ">= 6.1", "< 8.0.0.alpha"
end
