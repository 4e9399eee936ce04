"""What infrastructure as code makes of accounts: Terraform plans and CloudFormation templates as facts about IAM.

Pure functions over JSON values: no file, no lake. ``account_details`` writes facts as AWS's own export would be.
"""
